"""Who may open the console: compliance officers, read-only."""

import interaction.public

compliance_only = interaction.public.requires_role("compliance_officer")
