"""The Action in a repository of its users: five scenarios, each run as processes and by a runner of Actions."""
