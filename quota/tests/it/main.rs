//! What upstream's own tests ask of quota, with upstream's answers, and properties of decisions.

#[cfg(test)]
mod admission;
#[cfg(test)]
mod objects;
#[cfg(test)]
mod payment;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod usage;
#[cfg(test)]
mod world;
