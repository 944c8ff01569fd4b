"""Policies: Cedar behind four guards, in signed bundles confined to their own actions."""
