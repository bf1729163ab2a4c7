//! A sink of Slack: by an incoming webhook, or as a bot.

use reqwest::Url;

use super::{Receiver, SinkFile};
use crate::edge::config::check::Checker;

/// Where Slack has its API; workspaces of the US government have one of their own.
const API_URL: &str = "https://slack.com/api/";
/// How tokens of bots begin; the second one is one that is rotated.
const BOT_TOKENS: [&str; 2] = ["xoxb-", "xoxe.xoxb-"];
/// Length of the id of a channel: nine or eleven by now.
const CHANNEL_CHARS: std::ops::RangeInclusive<usize> = 9..=20;

impl Checker<'_> {
    /// Exactly one of the two ways.
    pub(super) fn slack(
        &mut self,
        name: &str,
        file: &SinkFile,
        allow_private: bool,
    ) -> Option<Receiver> {
        let at = |key| ["sinks", name, key];
        let is_bot = file.bot_token.is_some() || file.channel.is_some() || file.api_url.is_some();
        if !is_bot {
            let url = self.url(name, file.url.as_deref(), allow_private, "")?;
            return Some(Receiver::Slack { url });
        }
        if file.url.is_some() {
            let what = "an incoming webhook is set too: a sink writes by one of them";
            let remedy = "keep `url` for a webhook, else `bot_token` and `channel`";
            self.refuse(&at("url"), what, remedy);
            return None;
        }
        let token = self.bot_token(name, file.bot_token.as_deref());
        let channel = self.channel(name, file.channel.as_deref());
        let api = file.api_url.as_deref().unwrap_or(API_URL);
        let mut api = self.web_address(&at("api_url"), Some(api), allow_private)?;
        slashed(&mut api);
        Some(Receiver::SlackBot {
            api,
            token: token?,
            channel: channel?,
        })
    }

    fn bot_token(
        &mut self,
        name: &str,
        given: Option<&str>,
    ) -> Option<crate::edge::config::Secret<String>> {
        let at = ["sinks", name, "bot_token"];
        let remedy = "write the bot token of the app (xoxb-…), with the scopes chat:write and \
                      channels:history (groups:history for a private channel)";
        let Some(given) = given else {
            self.refuse(&at, "not set, and has no default for a bot", remedy);
            return None;
        };
        let token = self.secret(&at, given)?;
        let text = token.expose();
        let is_bot = BOT_TOKENS.iter().any(|begin| text.starts_with(begin));
        if !is_bot || !text.chars().all(|c| c.is_ascii_graphic()) {
            self.refuse(&at, "no token of a bot", remedy);
        }
        Some(token)
    }

    fn channel(&mut self, name: &str, given: Option<&str>) -> Option<String> {
        let at = ["sinks", name, "channel"];
        let remedy = "write the id of the channel (C… or G…), which stands below its details in \
                      Slack; a name changes, and cannot be read";
        let Some(given) = given else {
            self.refuse(&at, "not set, and has no default for a bot", remedy);
            return None;
        };
        let is_id = given.starts_with(['C', 'G'])
            && CHANNEL_CHARS.contains(&given.len())
            && given
                .chars()
                .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
        if !is_id {
            let what = format!("`{given}` is no id of a channel");
            self.refuse(&at, what, remedy);
        }
        Some(given.to_owned())
    }
}

/// Methods are joined to it.
fn slashed(url: &mut Url) {
    if !url.path().ends_with('/') {
        let path = format!("{}/", url.path());
        url.set_path(&path);
    }
}
