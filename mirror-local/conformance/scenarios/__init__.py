"""What the clients do, in order. A scenario cleans up after itself."""

from . import (
    balancing, cli, identity, instances, lab, metrics, mirroring, network, scaling, security, sharing, storage,
)

SCENARIOS = [
    identity.caller_and_images,
    identity.refusals,
    identity.surroundings,
    network.vpcs_and_subnets,
    network.routes_and_gateways,
    network.network_acls,
    network.peering,
    network.peering_between_accounts,
    network.transit,
    security.groups_and_rules,
    instances.interfaces,
    instances.instances_and_volumes,
    balancing.load_balancers,
    balancing.target_groups,
    balancing.refusals,
    balancing.gateway,
    scaling.launch_templates,
    scaling.groups,
    mirroring.filters_and_rules,
    mirroring.targets_and_sessions,
    mirroring.pages,
    sharing.mirror_target,
    storage.objects,
    metrics.counters,
    lab.whole_lab,
    cli.commands,
]
