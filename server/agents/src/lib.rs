//! Pure agents: archetypes, diversity, swarm and the sans-IO orchestrator.
