// Nothing: the target that owns the precompiled header of the tests needs a source.
