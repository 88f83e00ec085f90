# %% [markdown]
# # text_to_picture
#
# text
