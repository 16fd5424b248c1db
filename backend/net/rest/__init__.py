"""Requests to exchanges: within their limits, in time, retried where that helps."""
