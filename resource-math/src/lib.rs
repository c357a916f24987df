//! Quantities, requests and limits: the one place where resource amounts are computed.
