"""Every key that exists, with its unit and its reason: the schema of all configs.

A config starts from `get_config()`, changes what it needs and adds nothing: an unknown
key is an error, and a changed key that nothing reads is reported.
"""

from ml_collections import ConfigDict

from gan_vae.errors import unknown


def get_config() -> ConfigDict:
    """The defaults; lengths are in steps, sizes in pixels, losses in nats."""
    config = ConfigDict()
    config.name = ''  # set from the file name and variant; names the run folder

    config.data = data = ConfigDict()
    # emoji | toy_shapes | toy_rolls | toy_strokes | folder:PATH | drawings:PATH | any
    # prepared name
    data.name = 'emoji'
    data.dir = ''  # of TFDS data; '' = $TFDS_DATA_DIR, else ~/tensorflow_datasets
    # A folder is split 80/10/10 by the hash of its files' names; 'all' is everything.
    data.split = 'train'  # what to train on
    data.eval_split = 'test'  # what eval/ metrics are computed on
    data.categories = ''  # keep only these classes, comma-separated; '' = all
    data.image_size = 32  # images are fitted to this square
    data.channels = 3  # 3 or 1; colour is converted to grey and back as needed
    data.fit = 'crop'  # non-square pictures: centre 'crop', or 'pad' with background
    data.background = 'white'  # under transparent pixels and in the padding
    data.batch_size = 64  # global: of one update, over all devices
    data.flip = False  # random horizontal flip, on device
    data.shift = 0  # random shift by up to this many pixels, edges repeated
    data.transpose = 0  # rolls: random, by up to so many semitones, on device
    data.stretch = 0.0  # strokes: random, of each direction by up to this share
    data.binarize = 'none'  # 'dynamic': x ~ Bernoulli(grey); 'threshold': grey >= 1/2
    data.segment_steps = 0  # sequences: train on pieces of so many steps; 0 = whole
    data.storage = 'memory'  # 'memory': uint8 in RAM; 'stream': read from a disk cache
    data.memory_gb = 4.0  # budget of 'memory'; larger sets must stream

    config.model = model = ConfigDict()
    model.generator = 'dcgan'
    model.discriminator = 'dcgan'
    model.encoder = 'conv'
    model.decoder = 'conv'
    model.transform = 'johnson'  # fast_style
    model.width = 64  # channels (units) of the layer next to the image
    model.latent_dim = 128
    model.hidden = 128  # recurrent, vrnn, sketch_vae: units of the LSTM
    model.latent = 'normal'  # gan: z ~ N(0, 1); 'uniform': U(-1, 1)
    model.code_categories = 0  # infogan: values of the code that is one of so many
    model.code_continuous = 0  # infogan: codes of U(-1, 1)
    # from the pixels: width of the networks x latents
    model.stochastic_layers = '200x100,100x50'  # stacked_vae
    model.dropout = 0.0  # of the networks that have it
    # RxN: N blocks at R x R pixels; RdK: one, then means over K x K
    model.encoder_blocks = '32x2,32d2,16x2,16d2,8x2,8d8,1x1'  # hierarchical_vae
    # RxN: N groups of latents at R x R pixels; RmM: one, on M x M pixels repeated
    model.decoder_blocks = '1x1,8m1,8x2,16m8,16x2,32m16,32x1'  # hierarchical_vae

    config.method = method = ConfigDict()
    method.name = 'gan'
    # saturating | non_saturating | least_squares | hinge | wasserstein | relativistic
    method.loss = 'non_saturating'  # gan, vae_gan: the adversarial pair of losses
    method.critic_steps = 1  # gan: discriminator updates per generator update
    # wgan_gp | dragan | r1 | r2 | r1_r2: at images as they are, not augmented
    method.penalty = ''  # gan: on D's gradient in its images; '' = none
    method.penalty_weight = 10.0  # lambda of wgan_gp and dragan, gamma of r1 and r2
    method.penalty_interval = 1  # every so many D updates, as much heavier
    method.clip_weights = 0.0  # gan: all of D's parameters into +- this; 0 = off
    method.consistency = ''  # gan: of D under small changes: cr | bcr | zcr | bcr,zcr
    method.consistency_weight = 10.0  # of cr and bcr
    method.zcr_noise = 0.05  # zcr: deviation of the change of latents
    method.zcr_discriminator_weight = 5.0  # of D's being alike at both
    method.zcr_generator_weight = 0.5  # of G's being different at both
    method.lecam_weight = 0.0  # gan: LeCam regularisation; 0 = off
    method.lecam_decay = 0.99  # of its moving means of D's logits, once a D update
    method.lecam_start_step = 1000  # until then, its weight is 0
    method.orthogonal_weight = 0.0  # gan: off-diagonal W^T W of G's kernels; 0 = off
    method.class_weight = 1.0  # acgan: of what D says the class is
    method.class_of_fake = True  # acgan: D learns the class of generated images too
    method.category_weight = 1.0  # infogan: of the information in the category
    method.continuous_weight = 1.0  # infogan: and in the continuous codes
    # 'running' means; those of the 'batch' that is sampled together; or 'standing':
    # means over 16 batches of latents, made anew
    method.sampling_statistics = 'running'  # gan: of BatchNorm in samples
    method.augment = ''  # gan, vae_gan: DiffAugment, 'color,translation,cutout'
    # bernoulli | continuous_bernoulli | gaussian (one learned scale) | gaussian_fixed |
    # gaussian_per_pixel | categorical | logistic_mixture
    method.likelihood = 'gaussian'  # vae: p(x | z)
    method.mixtures = 10  # components of logistic_mixture, and of strokes' Gaussians
    method.likelihood_scale = 1.0  # vae: of gaussian_fixed, of images in [-1, 1]
    # elbo | iwae | dreg: that of iwae, the encoder's gradient doubly reparameterised
    method.bound = 'elbo'  # vae, stacked_vae: what training raises
    method.bound_samples = 1  # vae, stacked_vae: of z for each image, in training
    method.beta = 1.0  # vae: weight of the KL term; 1 = the ELBO
    method.beta_warmup_steps = 0  # vae: beta grows linearly over these steps
    method.beta_begin = 0.0  # vae: from this share of it on
    method.sample_steps = 128  # recurrent, vrnn, sketch_vae: at most, of a sample
    method.conditional = False  # vae: p(x | z, class), z apart from the class
    method.free_bits = 0.0  # vae: nats of the KL that cost each latent nothing
    method.capacity = 0.0  # vae: nats that the KL is held at; 0 = off
    method.capacity_weight = 1000.0  # of its distance from them
    method.capacity_steps = 100_000  # over which they grow from 0
    # beta_tc | factor: the total correlation of latents; dip_i | dip_ii: covariances
    method.disentangle = ''  # vae: what is added to part the latents; '' = nothing
    method.disentangle_weight = 1.0  # beta - 1 of beta_tc, gamma of factor
    method.dip_diagonal = 10.0  # dip: weight of variances over that of covariances
    method.factor_width = 1000  # factor: units of its discriminator's six layers
    method.reconstruction_weight = 1e-2  # vae_gan: gamma, of L_llike in G's loss
    # vae_gan: D waits while its cost of reals or of fakes, in nats, is below the
    # equilibrium - margin, G while one is above equilibrium + margin; never both.
    method.balance_margin = 0.0  # 0 = off, as in the paper; its authors' code: 0.4
    method.balance_equilibrium = 0.68  # of that code; log 2: D is undecided
    method.style = ''  # fast_style: the file of the picture whose look is learned
    method.style_size = 256  # pixels of its longer side, at most
    method.style_features = 'random'  # of a VGG never trained; or vgg_hed
    method.style_weight = 1.0  # of the style beside the content
    method.variation_weight = 2.0  # fast_style: of squared differences of neighbours
    method.ema_decay = 0.999  # of the weights that sample; 0 = the last weights
    method.ema_ramp = True  # the decay is at most (1 + step) / (10 + step)
    method.ema_half_life = 0.0  # in images, in place of ema_decay; 0 = off
    method.ema_rampup = 0.05  # the half-life is at most this share of the images seen
    method.ema_start_step = 0  # until then, the last weights

    config.optimizer = optimizer = ConfigDict()  # Adam
    optimizer.learning_rate = 2e-4
    optimizer.discriminator_learning_rate = 0.0  # gan: 0 = learning_rate
    optimizer.b1 = 0.9
    optimizer.b2 = 0.999
    optimizer.discriminator_b1 = -1.0  # gan: -1 = b1
    optimizer.discriminator_b2 = -1.0  # gan: -1 = b2
    optimizer.eps = 1e-8
    # linear and cosine: to 0 at train.steps; stages: IWAE's, 10^(-i/7)
    optimizer.schedule = 'constant'  # constant | linear | cosine | stages
    optimizer.warmup_steps = 0  # linear from 0
    optimizer.clip_norm = 0.0  # global norm of gradients; 0 = off
    optimizer.weight_decay = 0.0  # AdamW, of all parameters; 0 = off
    # an update of so many times the median norm of the last 31 is skipped:
    optimizer.skip_ratio = 0.0  # 0 = off

    config.train = train = ConfigDict()
    train.steps = 10_000  # gan: generator updates
    train.init_from = ''  # a run folder, whose weights to begin with; '' = random ones
    train.seed = 0  # of weights, order of data, and all noise
    train.log_steps = 100
    train.image_steps = 500  # sample grids
    train.num_samples = 64  # in a grid
    train.checkpoint_steps = 1000
    train.keep_latest = 2  # checkpoints kept: these newest,
    train.keep_every_steps = 0  # and every multiple of this (0 = none),
    train.patience = 0  # stop after so many checkpoints without a better; 0 = never
    train.best_metric = ''  # and the best by this, as 'min:eval/loss' ('' = none)

    config.eval = evaluation = ConfigDict()
    evaluation.every_steps = 0  # 0 = only at the end
    evaluation.batch_size = 500
    evaluation.metrics = 'swd'  # of samples, e.g. 'swd,kid_random,fid'; '' = none
    evaluation.num_samples = 1000  # that these are measured on
    evaluation.reference = ''  # the split they are compared with; '' = data.split

    config.parallel = parallel = ConfigDict()
    parallel.devices = 0  # of each host; 0 = all
    parallel.map = 'shard_map'  # or 'pmap': the same step, bit for bit
    # BatchNorm sees the statistics of a part (over all devices), and its running ones
    # move once a part; all else is the same update.
    parallel.accumulate = 1  # parts of a device's rows, in turn: less memory
    parallel.shard_state = False  # optimiser and averages cut over devices (ZeRO-1)
    # Parameters, statistics and losses stay float32.
    parallel.dtype = 'float32'  # or 'bfloat16': of layers and activations
    parallel.remat = False  # activations are computed again for the gradient, not kept

    config.lock()
    return config


# What `:tiny` means everywhere: the whole path in seconds, on data that needs nothing.
_TINY = {
    'data.name': 'toy_shapes',
    'data.split': 'train[:64]',
    'data.eval_split': 'test[:10]',
    'data.categories': '',
    'data.batch_size': 8,
    'model.width': 8,
    'model.latent_dim': 8,
    'method.critic_steps': 1,  # each is compiled by itself
    'method.beta_warmup_steps': 0,
    'train.steps': 4,
    'train.log_steps': 1,
    'train.image_steps': 2,
    'train.num_samples': 4,
    'train.checkpoint_steps': 2,
    'eval.batch_size': 4,
    'eval.num_samples': 8,
}


def with_variant(config: ConfigDict, variant: str, **variants) -> ConfigDict:
    """Applies '' (nothing), 'tiny', or one of `variants` ({'section.key': value}).

    A 'tiny' among them is more of it.
    """
    tiny = _TINY | variants.pop('tiny', {})
    variants = {'': {}, 'tiny': tiny} | variants
    if variant not in variants:
        raise unknown('config variant', variant, [name for name in variants if name])
    config.update_from_flattened_dict(variants[variant])
    return config
