//! The closed word lists of the canonical event. The order of variants is part of the block encoding:
//! new ones are appended.

use serde::{Deserialize, Serialize};

/// What a source is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Domain {
    /// Identity provider.
    Idp,
    /// Ticketing.
    Ticket,
    /// Contact centre: calls and chats.
    Contact,
    /// Who the people are.
    Directory,
    /// Mailbox rules and notices.
    Mail,
}

/// How it ended.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default,
)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was done.
    Success,
    /// It was tried and failed.
    Failure,
    /// Somebody or some policy refused it.
    Denied,
    /// More proof was asked for.
    Challenged,
    /// Not decided yet.
    Pending,
    /// The source does not say.
    #[default]
    Unknown,
}

/// Through which channel somebody asked or acted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// Telephone.
    Voice,
    /// Live chat.
    Chat,
    /// Text message.
    Sms,
    /// E-mail.
    Email,
    /// Self-service portal of the desk.
    Portal,
    /// In person at the desk.
    WalkIn,
    /// Video call.
    Video,
    /// Programming interface.
    Api,
    /// Console of the product.
    AdminConsole,
    /// The person alone.
    SelfService,
    /// A job or workflow.
    Automation,
    /// Not said.
    Unknown,
}

/// What kind of name a source uses for a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HandleKind {
    /// E-mail address.
    Email,
    /// Login of the identity provider; usually an e-mail address.
    Login,
    /// User principal name.
    Upn,
    /// Telephone number.
    Phone,
    /// Employee id of the HRIS.
    EmployeeId,
    /// Okta user id (`00u…`).
    OktaId,
    /// Entra object id.
    EntraId,
    /// ServiceNow `sys_id` of `sys_user`.
    SnowSysId,
    /// ServiceNow `user_name`.
    SnowUser,
    /// Zendesk user id.
    ZendeskId,
    /// Atlassian `accountId`.
    AtlassianId,
    /// Amazon Connect agent ARN.
    ConnectAgentArn,
    /// Amazon Connect agent user name.
    ConnectUsername,
    /// Genesys Cloud user id.
    GenesysUserId,
    /// Name in a chat channel.
    ChatHandle,
    /// Id of an enrolled voice.
    Voiceprint,
    /// A shown name; never resolves.
    DisplayName,
    /// A service, token or job.
    Principal,
}

/// How much harm a takeover of the account does, in rising order.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default,
)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// Everybody else.
    #[default]
    Standard,
    /// External staff, outsourced desk, guests.
    Contractor,
    /// Board, directors, vice presidents, VIP flag.
    Executive,
    /// Any admin role; support staff.
    Privileged,
    /// Emergency account.
    BreakGlass,
    /// Service and other machine identities.
    Machine,
}

/// Where a person stands in their employment.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default,
)]
#[serde(rename_all = "snake_case")]
pub enum Lifecycle {
    /// At work.
    Active,
    /// Not here yet.
    PreHire,
    /// On leave.
    OnLeave,
    /// Gone.
    Leaver,
    /// The directory does not say.
    #[default]
    Unknown,
}

/// How the handles of a role were resolved to a person.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default,
)]
#[serde(rename_all = "snake_case")]
pub enum ResolutionStatus {
    /// Exactly one person.
    Resolved,
    /// Several candidates; never guessed between.
    Ambiguous,
    /// Nobody known.
    #[default]
    Unresolved,
    /// A strong handle says one person, a weaker one another; the strong one is kept.
    Conflict,
}

/// What performed an action.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default,
)]
#[serde(rename_all = "snake_case")]
pub enum AgentKind {
    /// The person.
    EndUser,
    /// Help-desk staff.
    Desk,
    /// An administrator.
    Admin,
    /// A service account.
    Service,
    /// An API token.
    ApiToken,
    /// A conversational or autonomous agent.
    Bot,
    /// The product itself.
    System,
    /// Not said.
    #[default]
    Unknown,
}

/// What an approver decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Asked for.
    Requested,
    /// Approved.
    Granted,
    /// Refused.
    Rejected,
    /// Skipped or cancelled.
    Bypassed,
}

/// Yes, no, or the directory does not say.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default,
)]
#[serde(rename_all = "snake_case")]
pub enum Ternary {
    /// Yes.
    Yes,
    /// No.
    No,
    /// Not known; fires nothing.
    #[default]
    Unknown,
}

/// Between whom a contact runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Somebody reaches the desk.
    ToDesk,
    /// Somebody reaches an employee as support.
    ToEmployee,
    /// The desk reaches somebody.
    FromDesk,
}

/// Where a contact comes from.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default,
)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Our own organisation.
    Internal,
    /// Outside.
    External,
    /// Another tenant of the same product.
    ForeignTenant,
    /// Not said.
    #[default]
    Unknown,
}

/// What somebody asks the desk for.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default,
)]
#[serde(rename_all = "snake_case")]
pub enum RequestClass {
    /// Nothing about an account.
    None,
    /// Password reset.
    Password,
    /// Factor reset.
    Mfa,
    /// Unlock or enable.
    Unlock,
    /// Recovery phone or e-mail.
    RecoveryContact,
    /// New device.
    Device,
    /// Access to something.
    Access,
    /// Something else.
    Other,
    /// Not mapped.
    #[default]
    Unknown,
}

/// What a requester says about themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Claim {
    /// Lost the phone or key.
    LostDevice,
    /// It was stolen.
    StolenDevice,
    /// Has a new one.
    NewDevice,
    /// Cannot sign in.
    LockedOut,
    /// Claims to be support.
    SupportStaff,
}

/// Authentication factor, by the OCSF captions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FactorType {
    /// SMS.
    Sms,
    /// Security question.
    SecurityQuestion,
    /// Phone call.
    PhoneCall,
    /// Biometric.
    Biometric,
    /// Push.
    Push,
    /// Hardware token.
    HardwareToken,
    /// One-time password.
    Otp,
    /// E-mail.
    Email,
    /// U2F.
    U2f,
    /// WebAuthn.
    Webauthn,
    /// Password.
    Password,
}

/// What kind of application was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AppClass {
    /// Administration.
    AdminConsole,
    /// Own account and sign-in settings.
    AccountPortal,
    /// Mail.
    Mail,
    /// Anything else.
    Other,
}

/// Which kind of policy changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PolicyClass {
    /// Factors.
    Mfa,
    /// Sign-on.
    SignOn,
    /// Federation or identity provider.
    Federation,
    /// Password.
    Password,
    /// Session.
    Session,
    /// Other.
    Other,
}

/// What a policy change does to protection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PolicyEffect {
    /// Less protection.
    Weakened,
    /// More.
    Strengthened,
    /// Not said.
    Unknown,
}

/// How good a stated reason is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReasonQuality {
    /// A code from a list.
    Structured,
    /// Words.
    Text,
    /// Under 12 characters.
    Short,
    /// A phrase that says nothing.
    StopListed,
    /// None.
    Empty,
}

/// How an identity was proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VerificationMethod {
    /// Recorded as not done.
    None,
    /// Knowledge questions.
    Knowledge,
    /// Call-back to the number of record.
    CallbackRegistered,
    /// Call-back to another number.
    CallbackOther,
    /// Push to an enrolled device.
    Push,
    /// One-time code by SMS.
    OtpSms,
    /// One-time code by e-mail.
    OtpEmail,
    /// One-time code of an app.
    OtpApp,
    /// Passkey.
    Passkey,
    /// Identity document.
    IdDocument,
    /// Identity-verification vendor.
    IdvVendor,
    /// Video.
    Video,
    /// The manager vouched.
    ManagerVouch,
    /// In person.
    InPerson,
    /// Voice biometric.
    VoiceBiometric,
    /// Something else.
    Other,
    /// Nothing recorded; not the same as none.
    NotRecorded,
}

/// What a risk statement is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RiskKind {
    /// A sign-in.
    SignIn,
    /// A user.
    User,
    /// A voice.
    Voice,
    /// A contact.
    Contact,
}

/// Pressure band of a text.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default,
)]
#[serde(rename_all = "snake_case")]
pub enum Band {
    /// Below every threshold.
    #[default]
    None,
    /// Above the threshold for 5 % false positives.
    Low,
    /// Above the one for 2 %.
    High,
}

/// What the words of a text contain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cue {
    /// Haste beyond a stated deadline.
    Urgency,
    /// Phone or key lost, stolen, replaced.
    DeviceLossClaim,
    /// Rank, borrowed or own.
    Authority,
    /// Skip a step.
    BypassRequest,
    /// No call-back, no video, no questions.
    VerificationRefusal,
    /// Consequences for the desk.
    Threat,
    /// Poses as IT or security.
    StaffImpersonation,
    /// Tell nobody.
    Secrecy,
    /// Plea, distress.
    Emotional,
}

/// State of a ticket, mapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TicketStatus {
    /// Open or in progress.
    Open,
    /// Waiting.
    Pending,
    /// Resolved.
    Resolved,
    /// Closed or cancelled.
    Closed,
}

impl VerificationMethod {
    /// How much a proof by this method is worth, 0–4. A registered call-back counts 3 only while its
    /// number is of record for seven days; that is judged where the number is known.
    #[must_use]
    pub const fn strength(self) -> u8 {
        match self {
            Self::None | Self::NotRecorded | Self::CallbackOther => 0,
            Self::Knowledge | Self::OtpEmail | Self::VoiceBiometric | Self::Other => 1,
            Self::OtpSms | Self::OtpApp | Self::Push | Self::ManagerVouch => 2,
            Self::CallbackRegistered | Self::Video | Self::IdDocument => 3,
            Self::Passkey | Self::IdvVendor | Self::InPerson => 4,
        }
    }
}

impl Tier {
    /// The multiplier of points, in hundredths.
    #[must_use]
    pub const fn multiplier_x100(self) -> i64 {
        match self {
            Self::Standard => 100,
            Self::Contractor => 115,
            Self::Executive => 125,
            Self::Privileged => 140,
            Self::BreakGlass | Self::Machine => 150,
        }
    }
}
