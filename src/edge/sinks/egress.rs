//! The way out over a proxy: which addresses go over it, and how it is reached. None of the environment is
//! used.

use hyper::Uri;
use hyper_util::client::proxy::matcher::Matcher;
use reqwest::{NoProxy, Proxy, Url};

use crate::edge::config::Egress;

/// Which addresses go over the proxy.
#[derive(Debug, Clone)]
pub(super) struct Way(Option<Over>);

#[derive(Debug, Clone)]
struct Over {
    proxy: Proxy,
    /// The one that the client goes by, which cannot be asked.
    matcher: std::sync::Arc<Matcher>,
    host: String,
}

impl Way {
    /// Over the proxy, if there is one.
    ///
    /// # Errors
    /// The library does not take its address.
    pub(super) fn new(egress: Option<&Egress>) -> Result<Self, reqwest::Error> {
        let Some(egress) = egress else {
            return Ok(Self(None));
        };
        let direct = egress.no_proxy.join(",");
        let mut proxy = Proxy::all(egress.proxy.clone())?.no_proxy(NoProxy::from_string(&direct));
        if let Some((name, password)) = &egress.credentials {
            proxy = proxy.basic_auth(name, password.expose());
        }
        let matcher = Matcher::builder().all(egress.proxy.as_str()).no(direct);
        Ok(Self(Some(Over {
            proxy,
            matcher: std::sync::Arc::new(matcher.build()),
            host: egress.proxy.host_str().unwrap_or_default().to_owned(),
        })))
    }

    /// What the client is told.
    pub(super) fn proxy(&self) -> Option<Proxy> {
        self.0.as_ref().map(|over| over.proxy.clone())
    }

    /// Whether a request to an address goes over the proxy.
    pub(super) fn is_over(&self, url: &Url) -> bool {
        let uri = url.as_str().parse::<Uri>();
        let over = self.0.as_ref().zip(uri.ok());
        over.is_some_and(|(over, uri)| over.matcher.intercept(&uri).is_some())
    }

    /// Whether a name is that of the proxy, which the configuration names and which may be private.
    pub(super) fn is_proxy(&self, name: &str) -> bool {
        let host = self.0.as_ref().map(|over| over.host.as_str());
        host.is_some_and(|host| host.eq_ignore_ascii_case(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_over_the_proxy() {
        let egress = Egress {
            proxy: "http://proxy.example.com:3128".parse().unwrap(),
            credentials: None,
            no_proxy: ["corp.example.com", "10.0.0.0/8", "::1"]
                .map(str::to_owned)
                .to_vec(),
        };
        let way = Way::new(Some(&egress)).unwrap();
        for (url, is_over) in [
            ("https://hooks.slack.com/x", true),
            ("http://hooks.example.com/", true),
            ("https://siem.corp.example.com:8088/", false),
            ("https://corp.example.com/", false),
            ("https://notcorp.example.com/", true),
            ("https://10.1.2.3/", false),
            ("https://11.1.2.3/", true),
            ("https://[::1]/", false),
        ] {
            let url = Url::parse(url).unwrap();
            assert_eq!(way.is_over(&url), is_over, "{url}");
            assert!(!Way::new(None).unwrap().is_over(&url));
        }
        assert!(way.is_proxy("Proxy.example.com") && !way.is_proxy("example.com"));
    }
}
