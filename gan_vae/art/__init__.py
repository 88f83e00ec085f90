"""What can be made with a trained model, from its run folder alone."""
