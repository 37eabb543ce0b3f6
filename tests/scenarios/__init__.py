"""The Action in a repository of its users: five scenarios, each run as processes and by a runner of Actions."""

import pytest

pytest.register_assert_rewrite("scenarios.five")  # an assertion there tells as much as one in a test's own file
