"""The descriptions of the constructor parameters that several networks share.

A word in braces is replaced by that of the network, from ``WORDS`` in
``parameters.py``. ``tools/sync_parameters.py`` writes the descriptions into docstrings.
"""

DESCRIPTIONS = {
    "cell": """Type of the recurrent cell. A callable ``cell(input_size, hidden_size)``
        must return a torch module whose ``forward(x, state)`` returns ``(outputs,
        state)``. Here, ``x`` has the shape ``(n_sequences, n_timesteps, input_size)``,
        ``outputs`` has the shape ``(n_sequences, n_timesteps, hidden_size)``, and the
        initial state is None. The output at a step may depend only on this step and
        earlier steps of the same sequence, because shorter sequences in a batch are
        padded with zeros. A cell that reads later steps raises an error. Batch
        normalization in a cell would include the padding in its statistics.""",
    "hidden_size": """Number of units in each layer{each_direction}. More units make the
        network more expressive and slower to train.""",
    "num_layers": """Number of stacked recurrent layers. Each layer reads the outputs of
        the layer below it.""",
    "decoder_cell": """Type of the recurrent cells of the decoder. None uses
        ``cell``.""",
    "activation": """Activation function of the simple cell, ``cell="rnn"``. The other
        cells have fixed activation functions and ignore it.""",
    "bidirectional": """Whether to read each sequence both forwards and backwards and to
        concatenate the outputs of the two directions. A bidirectional network needs
        complete sequences and cannot be used in a stream.""",
    "dropout": """Fraction of values that are set to zero during training{where}. Larger
        values regularize more strongly; 0 disables dropout.""",
    "pooling": """Reduction of the outputs at all time steps to the input of the output
        layer. "last" takes the output at the last step, "mean" and "max" take the mean
        and the maximum over all steps, and "concat" concatenates these three. For the
        backward direction of a bidirectional network, the last output is the one at the
        first time step.""",
    "embedding": """Representation of codes as input of the first layer. An int is the
        dimension of embedding vectors that are trained with the network; "auto" is 64,
        or the vocabulary size if that is smaller. An array of shape
        ``(vocabulary_size, n_dimensions)`` gives their initial values. "onehot" uses
        one-hot vectors; their product with the input weights is looked up instead of
        computed.{codes_in_X}""",
    "window": """Length of the training windows in time steps. One window starts at each
        step of a series. For a shorter series, the window is as long as the series. The
        window limits how far back training looks, but not how long a past ``predict``
        can read.""",
    "input_size": """Number of features per time step when X is a 2-D table; None means
        1. For other containers it is inferred from X.""",
    "input_length": """Number of time steps that every sequence must have; other lengths
        raise an error, and the model cannot be used in a stream. None accepts sequences
        of any length.""",
    "return_sequences": """Whether to predict at every time step instead of once per
        sequence. If True, the output layer is applied to the output at each step, and
        ``pooling`` is used by ``transform`` only.""",
    "backprop_window": """Number of time steps through which gradients are propagated
        back (truncated backpropagation through time). Each training step then reads the
        next window of this many steps of each sequence of its batch, and continues from
        the states after the previous window, so that the memory for training does not
        depend on the length of the sequences. Requires ``return_sequences=True`` and
        ``bidirectional=False``. None propagates gradients through whole sequences.""",
    "loss": """Loss function that training minimizes. It is computed on targets that
        are standardized to mean 0 and variance 1.""",
    "scaling": """Whether to standardize each numeric feature by its mean and standard
        deviation over all steps of the training sequences. ``partial_fit`` and warm
        starts keep the statistics of the first fit. Codes are not affected.""",
    "patch_size": """Number of successive steps that are joined to one patch, which the
        network reads as a single step. With patches, training on long sequences is
        faster and usually more accurate. "auto" is 1 if the median length of the
        training sequences is at most 100 steps, for tokens, and with
        ``return_sequences=True``; otherwise the sequences are divided into about 64
        patches. An incomplete patch at the end is filled with zeros.""",
    "max_epochs": """Maximum number of passes over the training {examples}. Training
        stops earlier if the loss does not improve for ``n_iter_no_change`` epochs.""",
    "batch_size": """Number of {examples} per training step.""",
    "optimizer": """Optimizer, as a name or as a subclass of ``torch.optim.Optimizer``.
        "adam" and "adamw" are the same, because ``weight_decay`` is decoupled from the
        gradient for every optimizer; both use ``eps=1e-6``. "sgd" uses a Nesterov
        momentum of 0.9.""",
    "learning_rate": """Initial learning rate. Larger values train faster, but training
        can diverge. "auto" is {auto_rates} for all other optimizers.""",
    "learning_rate_schedule": """Change of the learning rate over the epochs.
        "constant" keeps it unchanged. "plateau" halves it when the loss (with early
        stopping, the validation loss) has not decreased for 4 epochs. "cosine" lowers
        it to 0 along half a cosine over ``max_epochs``. A callable receives the number
        of the epoch, counted from 0 in each fit, and returns the factor by which
        ``learning_rate`` is multiplied.""",
    "weight_decay": """Weight decay. After each training step, for every optimizer, all
        weights except biases are multiplied by ``1 - learning_rate * weight_decay``.
        Nothing is added to the gradient; for an L2 penalty, pass a subclass of the
        optimizer that adds it. Larger values regularize more strongly; 0 disables
        weight decay. "auto" is 0.01 for "sgd" and 0.1 for all other
        optimizers{more_decay}. If ``learning_rate`` is k times its "auto" value, with
        k > 1, the "auto" decay is divided by k.""",
    "average": """Whether to predict with a weighted average of the weights over all
        training steps. If False, the weights after the last step are used, which
        fluctuate from step to step. In the average, later steps have more weight: of t
        steps, step s has a weight proportional to about ``(s / t) ** 3`` (Shamir and
        Zhang, ICML 2013).""",
    "gradient_clip": """Maximum norm of the gradient. A gradient with a larger norm is
        scaled down to this norm. None disables clipping.""",
    "early_stopping": """Whether to stop when the validation loss has not improved for
        ``n_iter_no_change`` epochs, and to keep the weights of the epoch with the
        lowest validation loss. {validation} If False, training uses all {examples} and
        stops when the training loss has not improved for that many epochs. After a warm
        start, only the epochs of the current fit are compared.""",
    "validation_fraction": """Fraction of the training {held_out} that is held out if
        ``early_stopping=True``.{how_held_out} If this is a CV splitter, its last split
        is used{splitters}.""",
    "n_iter_no_change": """Number of consecutive epochs without an improvement of the
        loss by more than ``tol`` after which training stops. "auto" is a quarter of
        the maximum number of epochs, but at least 5.""",
    "tol": """Minimum decrease of the loss that counts as an improvement.""",
    "warm_start": """Whether ``fit`` continues from the {kept} of the previous fit, for
        up to ``max_epochs`` further epochs, instead of starting from new weights. The
        learning rate, ``weight_decay``, ``dropout`` and ``callbacks`` may change
        between fits; the network and the optimizer may not.""",
    "callbacks": """Callbacks of skorch, which are called during training. ``fit`` uses
        shallow copies of them: the callbacks themselves are not changed, but objects
        that they refer to, such as a list or an Optuna trial, are shared. Losses and
        scores are in ``net.history``; ``dataset_train`` and ``dataset_valid`` are None.
        If a callback raises :class:`~sklearn_rnn.StopTraining`, or if skorch's
        EarlyStopping runs out of patience, training ends and the estimator is fitted.
        After a KeyboardInterrupt, the finished epochs are kept and the interrupt is
        raised again. For scikit-learn's callbacks, use ``set_callbacks``.""",
    "checkpoint": """Folder in which ``fit`` stores the state of the training. If a fit
        is interrupted, ``fit`` with the same data and parameters continues from the
        last state that was stored, and gives the same model as an uninterrupted fit.
        Only ``max_epochs``, ``n_iter_no_change`` and parameters that do not affect the
        weights, such as ``verbose``, may be different.
        Requires an integer ``random_state``. With ``learning_rate_schedule="cosine"``,
        or with callbacks whose effect on the training is not known, nothing is stored
        and a warning is issued. The folder is created if necessary. It can be shared by
        all estimators and processes. It is limited to 2 GiB, and the states that were
        used least recently are removed; see :func:`~sklearn_rnn.clear_checkpoints`.
        None stores nothing.""",
    "checkpoint_every": """Interval between two states that are stored in the folder
        ``checkpoint``: a number of epochs if it is an int, a number of seconds if it is
        a float. The state at the end of a fit that was not interrupted is always
        stored.""",
    "device": """Torch device, such as "cpu" or "cuda:1". "auto" uses a GPU if one is
        available, otherwise the CPU.""",
    "precision": """Floating-point type of weights and states. "auto" is
        {auto_precision}. float32 is about twice as fast as float64. "bfloat16" computes
        the recurrent layers in bfloat16; data, weights and output layer stay in
        float32. On a CPU, it is faster than float32 only if the processor has
        instructions for it and batches are large; a GRU or a simple cell also needs
        128 or more units.""",
    "random_state": """Seed of the random numbers for the initial weights, shuffling,
        dropout and the choice of held-out {held_out}. Pass an int for reproducible
        results.""",
    "verbose": """Verbosity level. 0 prints nothing; 1 or more prints one line per
        epoch. In a search, each line names the fit and the parameters that differ from
        their defaults.""",
}
