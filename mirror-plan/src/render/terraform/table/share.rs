//! The tables of resource shares, and of what is in them.

use super::Source::{Again, ItsArn, Itself, Own, PartId, Whole};
use super::{ArnType, KindTable, PartImport, PartTable, Table, own, row, tags_all, unset};

pub(super) const SHARE: KindTable = KindTable {
    whole: Table {
        name: "aws_ram_resource_share",
        schema_version: 0,
        rows: &[
            row("allow_external_principals", Own("external_principals")),
            row("arn", Again("id")),
            own("id"),
            own("name"),
            own("tags"),
            tags_all(),
            unset("timeouts"),
        ],
    },
    parts: &[
        PartTable {
            of: "mirror_targets",
            only: None,
            table: Table {
                name: "aws_ram_resource_association",
                schema_version: 0,
                rows: &[
                    row("id", PartId),
                    row("resource_arn", ItsArn(ArnType::TrafficMirrorTarget)),
                    row("resource_share_arn", Whole("id")),
                ],
            },
            fixed: &["resource_arn", "resource_share_arn"],
            import: PartImport::WholeThenAttribute(",", "resource_arn"),
        },
        PartTable {
            of: "principals",
            only: None,
            table: Table {
                name: "aws_ram_principal_association",
                schema_version: 0,
                rows: &[
                    row("id", PartId),
                    row("principal", Itself),
                    row("resource_share_arn", Whole("id")),
                ],
            },
            fixed: &["principal", "resource_share_arn"],
            import: PartImport::WholeThenAttribute(",", "principal"),
        },
    ],
};
