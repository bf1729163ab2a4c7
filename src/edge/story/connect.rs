//! Records of Amazon Connect: contact events by EventBridge, transcript segments of Contact Lens and
//! the contact record that comes after the call.

use serde_json::{Map, Value, json};

use super::people::Person;
use crate::collect::time::{SECOND_MS, Timestamp, rfc3339};

/// The instance, by its ARN.
pub const INSTANCE: &str =
    "arn:aws:connect:eu-central-1:123456789012:instance/11111111-2222-4333-8444-555555555555";
const INSTANCE_ID: &str = "11111111-2222-4333-8444-555555555555";
/// Number of the help desk.
const DESK_NUMBER: &str = "+18005550199";

/// Who speaks in a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaker {
    /// Whoever called, or was called.
    Customer,
    /// The desk.
    Agent,
}

/// One call.
#[derive(Debug, Clone)]
pub struct Call<'a> {
    /// Id of the contact.
    pub id: String,
    /// The desk called, not the person.
    pub outbound: bool,
    /// Number at the other end.
    pub number: &'a str,
    /// Start.
    pub started: Timestamp,
    /// When an agent took it; `None` for an abandoned call.
    pub connected: Option<(Timestamp, &'a Person)>,
    /// End.
    pub ended: Timestamp,
    /// Attributes that the agent set.
    pub attributes: Vec<(&'a str, String)>,
}

fn seconds(at: Timestamp) -> String {
    let text = rfc3339(at);
    format!("{}Z", text.get(..19).unwrap_or(&text))
}

impl Call<'_> {
    fn method(&self) -> &'static str {
        if self.outbound { "OUTBOUND" } else { "INBOUND" }
    }

    /// A contact event: `INITIATED`, `QUEUED`, `CONNECTED_TO_AGENT` or `DISCONNECTED`.
    #[must_use]
    pub fn event(&self, delivery: &str, kind: &str, at: Timestamp) -> Vec<u8> {
        let mut detail = json!({
            "eventType": kind,
            "contactId": self.id,
            "initialContactId": self.id,
            "channel": "VOICE",
            "instanceArn": INSTANCE,
            "initiationMethod": self.method(),
            "eventTimestamp": rfc3339(at),
            "initiationTimestamp": rfc3339(self.started),
            "queueInfo": {"queueArn": format!("{INSTANCE}/queue/q1"), "queueType": "STANDARD", "enqueueTimestamp": rfc3339(self.started.plus(5 * SECOND_MS))},
        });
        let mut none = Map::new();
        let fields = detail.as_object_mut().unwrap_or(&mut none);
        let reached = matches!(kind, "CONNECTED_TO_AGENT" | "DISCONNECTED");
        if let Some((connected, agent)) = self.connected.filter(|_| reached) {
            let info = json!({"agentArn": agent.agent_arn(), "connectedToAgentTimestamp": rfc3339(connected)});
            fields.insert("agentInfo".to_owned(), info);
        }
        if kind == "DISCONNECTED" {
            fields.insert("disconnectTimestamp".to_owned(), json!(rfc3339(at)));
            fields.insert("disconnectReason".to_owned(), json!("CUSTOMER_DISCONNECT"));
        }
        let event = json!({
            "version": "0",
            "id": delivery,
            "detail-type": "Amazon Connect Contact Event",
            "source": "aws.connect",
            "account": "123456789012",
            "time": seconds(at),
            "region": "eu-central-1",
            "resources": [INSTANCE, format!("{INSTANCE}/contact/{}", self.id)],
            "detail": detail,
        });
        event.to_string().into_bytes()
    }

    /// A transcript segment, `offset_ms` into the call.
    #[must_use]
    pub fn segment(&self, id: &str, offset_ms: i64, who: Speaker, said: &str) -> Vec<u8> {
        let role = match who {
            Speaker::Customer => "CUSTOMER",
            Speaker::Agent => "AGENT",
        };
        let segment = json!({
            "Version": "1.0.0",
            "Channel": "VOICE",
            "AccountId": "123456789012",
            "InstanceId": INSTANCE_ID,
            "ContactId": self.id,
            "LanguageCode": "en-US",
            "EventType": "SEGMENTS",
            "Segments": [{"Transcript": {
                "Id": id, "ParticipantId": role, "ParticipantRole": role, "Content": said,
                "BeginOffsetMillis": offset_ms, "EndOffsetMillis": offset_ms + 4_000,
                "Sentiment": "NEUTRAL", "IssuesDetected": [],
            }}],
        });
        segment.to_string().into_bytes()
    }

    /// The contact record, as written at a moment after the call.
    #[must_use]
    pub fn record(&self, written: Timestamp) -> Vec<u8> {
        let attributes: Map<String, Value> = self
            .attributes
            .iter()
            .map(|(name, value)| ((*name).to_owned(), json!(value)))
            .collect();
        let agent = self.connected.map(|(at, agent)| {
            json!({
                "ARN": agent.agent_arn(),
                "AgentInteractionDuration": self.ended.since(at) / SECOND_MS,
                "AfterContactWorkDuration": 30,
                "ConnectedToAgentTimestamp": seconds(at),
                "CustomerHoldDuration": 0,
                "HierarchyGroups": null,
                "NumberOfHolds": 0,
                "RoutingProfile": {"ARN": format!("{INSTANCE}/routing-profile/r1"), "Name": "Service Desk"},
                "Username": agent.user,
            })
        });
        let record = json!({
            "AWSAccountId": "123456789012",
            "AWSContactTraceRecordFormatVersion": "2017-03-10",
            "Agent": agent,
            "AgentConnectionAttempts": i32::from(self.connected.is_some()),
            "Attributes": attributes,
            "Channel": "VOICE",
            "ConnectedToSystemTimestamp": seconds(self.started),
            "ContactId": self.id,
            "CustomerEndpoint": {"Address": self.number, "Type": "TELEPHONE_NUMBER"},
            "DisconnectReason": "CUSTOMER_DISCONNECT",
            "DisconnectTimestamp": seconds(self.ended),
            "InitialContactId": null,
            "InitiationMethod": self.method(),
            "InitiationTimestamp": seconds(self.started),
            "InstanceARN": INSTANCE,
            "LastUpdateTimestamp": seconds(written),
            "MediaStreams": [{"Type": "AUDIO"}],
            "NextContactId": null,
            "PreviousContactId": null,
            "Queue": {"ARN": format!("{INSTANCE}/queue/q1"), "Duration": 20, "EnqueueTimestamp": seconds(self.started), "Name": "IT Help Desk"},
            "Recording": null,
            "SystemEndpoint": {"Address": DESK_NUMBER, "Type": "TELEPHONE_NUMBER"},
            "TransferCompletedTimestamp": null,
            "TransferredToEndpoint": null,
        });
        record.to_string().into_bytes()
    }
}
