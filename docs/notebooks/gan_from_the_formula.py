# %% [markdown]
# # gan_from_the_formula
#
# text
