"""First specs of `init-spec`: from recipes, and from what an image says of itself.

`draft` holds a spec as the text of its parts, so that comments stay with the rules
that they are about; `platforms`, `nvidia` and `userland` make rules of parts of an
image's configuration, and `of_image` a draft of them all.
"""
