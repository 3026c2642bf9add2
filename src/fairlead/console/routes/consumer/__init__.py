"""The pages of consumers, who need no login: the form of a niche, and what the links in its messages lead to."""
