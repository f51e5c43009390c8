"""An independent oracle: the law read again in plain loops, by someone who has not read the compiler."""
