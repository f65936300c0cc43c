//! What is said of network ACLs.
