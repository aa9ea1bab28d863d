"""What the contact centre has achieved: journeys completed, incidents resolved, value. docs/scorecard.md defines each."""
