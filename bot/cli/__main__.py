"""`python -m bot.cli`, for a `hob` that is not on the path."""

from bot.cli.framework import main

if __name__ == "__main__":
    main()
