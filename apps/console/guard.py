"""Who may open the console: compliance officers; emergencies, also those who may break glass."""

import interaction.public

compliance_only = interaction.public.requires_role("compliance_officer")
emergencies_only = interaction.public.requires_role(
    "compliance_officer", "fraud_analyst", "operations"
)
