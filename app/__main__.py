"""`python -m app` is the `imagecompat` command."""

from app.cli import main

if __name__ == "__main__":
    main()
