//! A bounded number of places, and a smaller share of them for each host.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::address::Host;

/// How many there are, all told and for one host. The share keeps one host from taking everything; the
/// whole keeps many hosts together from taking more than there is.
#[derive(Clone, Debug)]
pub struct Places(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    most: usize,
    share: usize,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    /// Hosts that hold at least one place, so never more than there are places.
    by: HashMap<Host, usize>,
}

/// A place that was taken; dropped, it is free again.
#[derive(Debug)]
pub struct Place {
    places: Places,
    host: Option<Host>,
}

impl Places {
    /// This many, and this many for one host.
    pub fn new(most: usize, share: usize) -> Self {
        Self(Arc::new(Inner { most, share, taken: Mutex::default() }))
    }

    /// A place, if there is one for this host. `None` is somebody who speaks for many hosts and has
    /// no share: a listed proxy.
    pub fn take(&self, host: Option<Host>) -> Option<Place> {
        let mut taken = self.taken();
        if taken.all >= self.0.most {
            return None;
        }
        if let Some(host) = host {
            let own = taken.by.get(&host).copied().unwrap_or(0);
            if own >= self.0.share {
                return None;
            }
            taken.by.insert(host, own + 1);
        }
        taken.all += 1;
        Some(Place { places: self.clone(), host })
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        // Nothing inside can panic halfway.
        self.0.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken();
        taken.all = taken.all.saturating_sub(1);
        let Some(host) = self.host else { return };
        match taken.by.get_mut(&host) {
            Some(own) if *own > 1 => *own -= 1,
            _ => drop(taken.by.remove(&host)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    fn take(places: &Places, host: &str) -> Option<Place> {
        places.take(Some(Host::from(host.parse::<IpAddr>().unwrap())))
    }

    #[test]
    fn one_host_gets_its_share_and_all_together_the_whole() {
        let places = Places::new(3, 2);
        let held = [take(&places, "1.1.1.1").unwrap(), take(&places, "1.1.1.1").unwrap()];
        assert!(take(&places, "1.1.1.1").is_none(), "its share is taken");
        let other = take(&places, "2.2.2.2").unwrap();
        assert!(take(&places, "3.3.3.3").is_none(), "all are taken");
        drop(other);
        assert!(take(&places, "1.1.1.1").is_none());
        drop(held);
        assert!(places.taken().by.is_empty(), "nobody is remembered for nothing");
        assert!(take(&places, "1.1.1.1").is_some());
    }

    #[test]
    fn a_network_of_ipv6_is_one_host_and_a_proxy_is_none() {
        let places = Places::new(4, 1);
        let first = take(&places, "2001:db8::1");
        assert!(first.is_some() && take(&places, "2001:db8::ffff:1").is_none());
        let next = take(&places, "2001:db8:0:1::1");
        assert!(next.is_some(), "the next network is another host");
        let proxied = [places.take(None), places.take(None)];
        assert!(proxied.iter().all(Option::is_some) && places.take(None).is_none());
    }
}
