# %% [markdown]
# # evaluate_generators
#
# text
