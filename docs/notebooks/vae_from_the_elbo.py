# %% [markdown]
# # vae_from_the_elbo
#
# text
