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
    /// Duo user name.
    DuoUser,
    /// A Duo administrator as they are shown; never resolves.
    DuoAdminName,
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

impl Domain {
    /// Every value, in the order of the encoding.
    pub const ALL: &'static [Self] = &[
        Self::Idp,
        Self::Ticket,
        Self::Contact,
        Self::Directory,
        Self::Mail,
    ];

    /// The word in events, rules and alerts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Idp => "idp",
            Self::Ticket => "ticket",
            Self::Contact => "contact",
            Self::Directory => "directory",
            Self::Mail => "mail",
        }
    }
}

impl Outcome {
    /// Every value, in the order of the encoding.
    pub const ALL: &'static [Self] = &[
        Self::Success,
        Self::Failure,
        Self::Denied,
        Self::Challenged,
        Self::Pending,
        Self::Unknown,
    ];

    /// The word in events, rules and alerts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Denied => "denied",
            Self::Challenged => "challenged",
            Self::Pending => "pending",
            Self::Unknown => "unknown",
        }
    }
}

impl Channel {
    /// Every value, in the order of the encoding.
    pub const ALL: &'static [Self] = &[
        Self::Voice,
        Self::Chat,
        Self::Sms,
        Self::Email,
        Self::Portal,
        Self::WalkIn,
        Self::Video,
        Self::Api,
        Self::AdminConsole,
        Self::SelfService,
        Self::Automation,
        Self::Unknown,
    ];

    /// The word in events, rules and alerts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Voice => "voice",
            Self::Chat => "chat",
            Self::Sms => "sms",
            Self::Email => "email",
            Self::Portal => "portal",
            Self::WalkIn => "walk_in",
            Self::Video => "video",
            Self::Api => "api",
            Self::AdminConsole => "admin_console",
            Self::SelfService => "self_service",
            Self::Automation => "automation",
            Self::Unknown => "unknown",
        }
    }
}

impl HandleKind {
    /// Every value, in the order of the encoding.
    pub const ALL: &'static [Self] = &[
        Self::Email,
        Self::Login,
        Self::Upn,
        Self::Phone,
        Self::EmployeeId,
        Self::OktaId,
        Self::EntraId,
        Self::SnowSysId,
        Self::SnowUser,
        Self::ZendeskId,
        Self::AtlassianId,
        Self::ConnectAgentArn,
        Self::ConnectUsername,
        Self::GenesysUserId,
        Self::ChatHandle,
        Self::Voiceprint,
        Self::DisplayName,
        Self::Principal,
        Self::DuoUser,
        Self::DuoAdminName,
    ];

    /// The word in events, rules and alerts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Login => "login",
            Self::Upn => "upn",
            Self::Phone => "phone",
            Self::EmployeeId => "employee_id",
            Self::OktaId => "okta_id",
            Self::EntraId => "entra_id",
            Self::SnowSysId => "snow_sys_id",
            Self::SnowUser => "snow_user",
            Self::ZendeskId => "zendesk_id",
            Self::AtlassianId => "atlassian_id",
            Self::ConnectAgentArn => "connect_agent_arn",
            Self::ConnectUsername => "connect_username",
            Self::GenesysUserId => "genesys_user_id",
            Self::ChatHandle => "chat_handle",
            Self::Voiceprint => "voiceprint",
            Self::DisplayName => "display_name",
            Self::Principal => "principal",
            Self::DuoUser => "duo_user",
            Self::DuoAdminName => "duo_admin_name",
        }
    }
}

impl Tier {
    /// Every value, in the order of the encoding.
    pub const ALL: &'static [Self] = &[
        Self::Standard,
        Self::Contractor,
        Self::Executive,
        Self::Privileged,
        Self::BreakGlass,
        Self::Machine,
    ];

    /// The word in events, rules and alerts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Contractor => "contractor",
            Self::Executive => "executive",
            Self::Privileged => "privileged",
            Self::BreakGlass => "break_glass",
            Self::Machine => "machine",
        }
    }
}

impl Lifecycle {
    /// Every value, in the order of the encoding.
    pub const ALL: &'static [Self] = &[
        Self::Active,
        Self::PreHire,
        Self::OnLeave,
        Self::Leaver,
        Self::Unknown,
    ];

    /// The word in events, rules and alerts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::PreHire => "pre_hire",
            Self::OnLeave => "on_leave",
            Self::Leaver => "leaver",
            Self::Unknown => "unknown",
        }
    }
}

impl ResolutionStatus {
    /// Every value, in the order of the encoding.
    pub const ALL: &'static [Self] = &[
        Self::Resolved,
        Self::Ambiguous,
        Self::Unresolved,
        Self::Conflict,
    ];

    /// The word in events, rules and alerts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Resolved => "resolved",
            Self::Ambiguous => "ambiguous",
            Self::Unresolved => "unresolved",
            Self::Conflict => "conflict",
        }
    }
}

impl AgentKind {
    /// Every value, in the order of the encoding.
    pub const ALL: &'static [Self] = &[
        Self::EndUser,
        Self::Desk,
        Self::Admin,
        Self::Service,
        Self::ApiToken,
        Self::Bot,
        Self::System,
        Self::Unknown,
    ];

    /// The word in events, rules and alerts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EndUser => "end_user",
            Self::Desk => "desk",
            Self::Admin => "admin",
            Self::Service => "service",
            Self::ApiToken => "api_token",
            Self::Bot => "bot",
            Self::System => "system",
            Self::Unknown => "unknown",
        }
    }
}

impl Decision {
    /// Every value, in the order of the encoding.
    pub const ALL: &'static [Self] = &[
        Self::Requested,
        Self::Granted,
        Self::Rejected,
        Self::Bypassed,
    ];

    /// The word in events, rules and alerts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Granted => "granted",
            Self::Rejected => "rejected",
            Self::Bypassed => "bypassed",
        }
    }
}

impl Ternary {
    /// Every value, in the order of the encoding.
    pub const ALL: &'static [Self] = &[Self::Yes, Self::No, Self::Unknown];

    /// The word in events, rules and alerts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::Unknown => "unknown",
        }
    }
}

impl Direction {
    /// Every value, in the order of the encoding.
    pub const ALL: &'static [Self] = &[Self::ToDesk, Self::ToEmployee, Self::FromDesk];

    /// The word in events, rules and alerts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ToDesk => "to_desk",
            Self::ToEmployee => "to_employee",
            Self::FromDesk => "from_desk",
        }
    }
}

impl Origin {
    /// Every value, in the order of the encoding.
    pub const ALL: &'static [Self] = &[
        Self::Internal,
        Self::External,
        Self::ForeignTenant,
        Self::Unknown,
    ];

    /// The word in events, rules and alerts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Internal => "internal",
            Self::External => "external",
            Self::ForeignTenant => "foreign_tenant",
            Self::Unknown => "unknown",
        }
    }
}

impl RequestClass {
    /// Every value, in the order of the encoding.
    pub const ALL: &'static [Self] = &[
        Self::None,
        Self::Password,
        Self::Mfa,
        Self::Unlock,
        Self::RecoveryContact,
        Self::Device,
        Self::Access,
        Self::Other,
        Self::Unknown,
    ];

    /// The word in events, rules and alerts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Password => "password",
            Self::Mfa => "mfa",
            Self::Unlock => "unlock",
            Self::RecoveryContact => "recovery_contact",
            Self::Device => "device",
            Self::Access => "access",
            Self::Other => "other",
            Self::Unknown => "unknown",
        }
    }
}

impl Claim {
    /// Every value, in the order of the encoding.
    pub const ALL: &'static [Self] = &[
        Self::LostDevice,
        Self::StolenDevice,
        Self::NewDevice,
        Self::LockedOut,
        Self::SupportStaff,
    ];

    /// The word in events, rules and alerts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LostDevice => "lost_device",
            Self::StolenDevice => "stolen_device",
            Self::NewDevice => "new_device",
            Self::LockedOut => "locked_out",
            Self::SupportStaff => "support_staff",
        }
    }
}

impl FactorType {
    /// Every value, in the order of the encoding.
    pub const ALL: &'static [Self] = &[
        Self::Sms,
        Self::SecurityQuestion,
        Self::PhoneCall,
        Self::Biometric,
        Self::Push,
        Self::HardwareToken,
        Self::Otp,
        Self::Email,
        Self::U2f,
        Self::Webauthn,
        Self::Password,
    ];

    /// The word in events, rules and alerts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sms => "sms",
            Self::SecurityQuestion => "security_question",
            Self::PhoneCall => "phone_call",
            Self::Biometric => "biometric",
            Self::Push => "push",
            Self::HardwareToken => "hardware_token",
            Self::Otp => "otp",
            Self::Email => "email",
            Self::U2f => "u2f",
            Self::Webauthn => "webauthn",
            Self::Password => "password",
        }
    }
}

impl AppClass {
    /// Every value, in the order of the encoding.
    pub const ALL: &'static [Self] = &[
        Self::AdminConsole,
        Self::AccountPortal,
        Self::Mail,
        Self::Other,
    ];

    /// The word in events, rules and alerts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AdminConsole => "admin_console",
            Self::AccountPortal => "account_portal",
            Self::Mail => "mail",
            Self::Other => "other",
        }
    }
}

impl PolicyClass {
    /// Every value, in the order of the encoding.
    pub const ALL: &'static [Self] = &[
        Self::Mfa,
        Self::SignOn,
        Self::Federation,
        Self::Password,
        Self::Session,
        Self::Other,
    ];

    /// The word in events, rules and alerts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mfa => "mfa",
            Self::SignOn => "sign_on",
            Self::Federation => "federation",
            Self::Password => "password",
            Self::Session => "session",
            Self::Other => "other",
        }
    }
}

impl PolicyEffect {
    /// Every value, in the order of the encoding.
    pub const ALL: &'static [Self] = &[Self::Weakened, Self::Strengthened, Self::Unknown];

    /// The word in events, rules and alerts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Weakened => "weakened",
            Self::Strengthened => "strengthened",
            Self::Unknown => "unknown",
        }
    }
}

impl ReasonQuality {
    /// Every value, in the order of the encoding.
    pub const ALL: &'static [Self] = &[
        Self::Structured,
        Self::Text,
        Self::Short,
        Self::StopListed,
        Self::Empty,
    ];

    /// The word in events, rules and alerts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Structured => "structured",
            Self::Text => "text",
            Self::Short => "short",
            Self::StopListed => "stop_listed",
            Self::Empty => "empty",
        }
    }
}

impl VerificationMethod {
    /// Every value, in the order of the encoding.
    pub const ALL: &'static [Self] = &[
        Self::None,
        Self::Knowledge,
        Self::CallbackRegistered,
        Self::CallbackOther,
        Self::Push,
        Self::OtpSms,
        Self::OtpEmail,
        Self::OtpApp,
        Self::Passkey,
        Self::IdDocument,
        Self::IdvVendor,
        Self::Video,
        Self::ManagerVouch,
        Self::InPerson,
        Self::VoiceBiometric,
        Self::Other,
        Self::NotRecorded,
    ];

    /// The word in events, rules and alerts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Knowledge => "knowledge",
            Self::CallbackRegistered => "callback_registered",
            Self::CallbackOther => "callback_other",
            Self::Push => "push",
            Self::OtpSms => "otp_sms",
            Self::OtpEmail => "otp_email",
            Self::OtpApp => "otp_app",
            Self::Passkey => "passkey",
            Self::IdDocument => "id_document",
            Self::IdvVendor => "idv_vendor",
            Self::Video => "video",
            Self::ManagerVouch => "manager_vouch",
            Self::InPerson => "in_person",
            Self::VoiceBiometric => "voice_biometric",
            Self::Other => "other",
            Self::NotRecorded => "not_recorded",
        }
    }
}

impl RiskKind {
    /// Every value, in the order of the encoding.
    pub const ALL: &'static [Self] = &[Self::SignIn, Self::User, Self::Voice, Self::Contact];

    /// The word in events, rules and alerts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SignIn => "sign_in",
            Self::User => "user",
            Self::Voice => "voice",
            Self::Contact => "contact",
        }
    }
}

impl Band {
    /// Every value, in the order of the encoding.
    pub const ALL: &'static [Self] = &[Self::None, Self::Low, Self::High];

    /// The word in events, rules and alerts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Low => "low",
            Self::High => "high",
        }
    }
}

impl Cue {
    /// Every value, in the order of the encoding.
    pub const ALL: &'static [Self] = &[
        Self::Urgency,
        Self::DeviceLossClaim,
        Self::Authority,
        Self::BypassRequest,
        Self::VerificationRefusal,
        Self::Threat,
        Self::StaffImpersonation,
        Self::Secrecy,
        Self::Emotional,
    ];

    /// The word in events, rules and alerts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Urgency => "urgency",
            Self::DeviceLossClaim => "device_loss_claim",
            Self::Authority => "authority",
            Self::BypassRequest => "bypass_request",
            Self::VerificationRefusal => "verification_refusal",
            Self::Threat => "threat",
            Self::StaffImpersonation => "staff_impersonation",
            Self::Secrecy => "secrecy",
            Self::Emotional => "emotional",
        }
    }
}

impl TicketStatus {
    /// Every value, in the order of the encoding.
    pub const ALL: &'static [Self] = &[Self::Open, Self::Pending, Self::Resolved, Self::Closed];

    /// The word in events, rules and alerts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Pending => "pending",
            Self::Resolved => "resolved",
            Self::Closed => "closed",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_what_serde_writes() {
        let json = |word: Channel| serde_json::to_string(&word).unwrap();
        for channel in Channel::ALL {
            assert_eq!(json(*channel), format!("\"{}\"", channel.as_str()));
        }
        assert_eq!(serde_json::to_string(&FactorType::U2f).unwrap(), "\"u2f\"");
        assert_eq!(FactorType::U2f.as_str(), "u2f");
    }
}
