//! Other accounts: a provider for each, and the side of a peering connection that is accepted there.
//!
//! Source: documentation of `hashicorp/aws`, "AWS Provider", assuming an IAM role, and
//! `aws_vpc_peering_connection_accepter`.

use super::{Block, Item, Writer, quoted};
use crate::address::Address;
use crate::resource::{Resource, VpcPeering};
use crate::scalar::AccountName;
use crate::stack::Account;

/// The provider's type for the accepting side of a peering connection.
const ACCEPTER: &str = "aws_vpc_peering_connection_accepter";

/// The attribute that names the provider of another account.
pub(super) fn provider(name: &AccountName) -> Item {
    Item::attribute("provider", name.to_string())
}

impl Writer<'_> {
    /// The providers of the accounts that the stack looks into or accepts in.
    pub(super) fn other_providers(&self) -> Vec<Block> {
        let region = self.stack.region.as_ref().unwrap_or(&self.observed.region);
        let block = |name: &AccountName| {
            let account = self.stack.accounts.get(name).map(|account| &account.of);
            let id = self.observed.accounts.get(name).cloned();
            let id = id.or_else(|| account.and_then(Account::id)).map(|id| {
                Item::attribute("allowed_account_ids", format!("[{}]", quoted(id.as_str())))
            });
            let by = account.map(|account| match account {
                Account::Profile { profile, account: _ } => {
                    Item::attribute("profile", quoted(profile))
                }
                Account::Role { role, external_id } => {
                    let external_id = external_id.as_deref().map(quoted);
                    Item::Block(
                        Block::new("assume_role").with(
                            [Item::attribute("role_arn", quoted(role.as_str()))]
                                .into_iter()
                                .chain(external_id.map(|id| Item::attribute("external_id", id))),
                        ),
                    )
                }
            });
            let alias = Item::attribute("alias", quoted(name.name().as_str()));
            let region = Item::attribute("region", quoted(region.as_str()));
            let items = [alias, region].into_iter().chain(id).chain(by);
            Block::new("provider \"aws\"").with(items)
        };
        self.stack.accounts_in_use().into_iter().map(block).collect()
    }

    /// The account that is asked for a peering connection, if it is another one.
    pub(super) fn peer_owner(&self, of: &Address) -> Option<Item> {
        let owner = self.peering(of)?.accepter_owner.as_ref()?;
        Some(Item::attribute("peer_owner_id", quoted(owner.as_str())))
    }

    /// The other side of each peering connection that is accepted with another account's credentials. It has the id
    /// of the connection, and no tags: the stack's tags are only visible to its own account.
    pub(super) fn accepters(&mut self) -> Vec<Block> {
        let all: Vec<&Address> = self.changes.keys().copied().collect();
        all.into_iter().filter_map(|address| self.accepter(address)).collect()
    }

    fn accepter(&mut self, of: &Address) -> Option<Block> {
        let name = self.peering(of)?.accept_as.clone()?;
        let label = self.names.label(of)?.clone();
        let whole = super::table::of(of.kind).whole.name;
        if let Some(id) = self.changes.get(of).and_then(|change| change.id.clone()) {
            self.import(&format!("{ACCEPTER}.{label}"), id.as_str());
        }
        Some(Block::new(format!("resource \"{ACCEPTER}\" \"{label}\"")).with([
            provider(&name),
            Item::attribute("vpc_peering_connection_id", format!("{whole}.{label}.id")),
            Item::attribute("auto_accept", "true".to_owned()),
        ]))
    }

    fn peering(&self, of: &Address) -> Option<&VpcPeering> {
        match &self.declared.resources.get(of)?.resource {
            Resource::VpcPeering(peering) => Some(peering),
            _ => None,
        }
    }
}
