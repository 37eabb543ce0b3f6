"""`python -m deploygate` is the command line."""

from deploygate.cli.main import main

if __name__ == "__main__":
    main()
