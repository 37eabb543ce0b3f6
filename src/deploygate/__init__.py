"""The deployment gate: inventory -> plan -> rollout -> probes -> verdict -> report, and a way back."""
