# %% [markdown]
# # gan_on_your_folder
#
# text
