"""A large language model as the agent, over any OpenAI-compatible URL; what it may do is decided by the core."""
