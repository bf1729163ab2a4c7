//! The keys under which exports write one and the same thing. Compared without case and punctuation.

pub(super) const EMPLOYEE_ID: &[&str] = &[
    "employeeid",
    "employeenumber",
    "workerid",
    "personnelnumber",
    "personidexternal",
    "staffid",
    "employeecode",
    "eid",
    "badgenumber",
];
pub(super) const WORK_MAIL: &[&str] = &[
    "workemail",
    "primaryworkemail",
    "emailprimarywork",
    "workemailaddress",
    "emailwork",
    "emailaddresswork",
    "businessemail",
    "companyemail",
    "email",
    "emailaddress",
    "mail",
    "primaryemail",
];
pub(super) const PERSONAL_MAIL: &[&str] = &[
    "personalemail",
    "homeemail",
    "emailhome",
    "secondemail",
    "othermails",
    "privateemail",
    "recoveryemail",
    "alternateemail",
    "secondaryemail",
    "primaryhomeemail",
];
pub(super) const ALIASES: &[&str] = &[
    "aliases",
    "emailaliases",
    "alias",
    "noneditablealiases",
    "previousemails",
    "previousemail",
    "formeremails",
    "formeremail",
];
pub(super) const MOBILE: &[&str] = &[
    "mobilephone",
    "mobile",
    "primarymobile",
    "cellphone",
    "mobilephonenumber",
    "phonemobile",
    "cell",
    "homephone",
    "personalphone",
    "primarymobilephone",
    "mobilenumber",
    "recoveryphone",
];
pub(super) const DESK_PHONE: &[&str] = &[
    "workphone",
    "businessphones",
    "businessphone",
    "primaryphone",
    "phone",
    "officephone",
    "phonework",
    "workphonenumber",
    "telephonenumber",
    "deskphone",
    "phonenumber",
    "primaryworkphone",
    "phonenumbers",
    "phones",
    "deskphonenumber",
];
pub(super) const LOGIN: &[&str] = &["login", "userprincipalname", "upn"];
pub(super) const USER_NAME: &[&str] = &["username", "ssousername", "networkid"];
pub(super) const MANAGER: &[&str] = &[
    "manageremployeeid",
    "managerid",
    "supervisoremployeeid",
    "supervisoreid",
    "supervisorid",
    "manageremail",
    "managerupn",
    "manager",
    "reportsto",
    "supervisor",
    "linemanager",
];
pub(super) const NAME: &[&str] = &[
    "displayname",
    "preferredname",
    "name",
    "legalname",
    "fullname",
];

pub(super) const HIRED: &[&str] = &[
    "hiredate",
    "startdate",
    "originalhiredate",
    "employeehiredate",
    "continuousservicedate",
    "datehired",
];
pub(super) const LEFT: &[&str] = &[
    "terminationdate",
    "enddate",
    "leavedate",
    "lastdayofwork",
    "employeeleavedatetime",
    "lastday",
    "contractenddate",
    "exitdate",
];
pub(super) const CREATED: &[&str] = &[
    "created",
    "createddatetime",
    "syscreatedon",
    "createdat",
    "creationtime",
];
pub(super) const STATUS: &[&str] = &[
    "status",
    "employmentstatus",
    "workerstatus",
    "employmenthistorystatus",
    "state",
    "workerstatustype",
];
pub(super) const ACTIVE: &[&str] = &[
    "active",
    "accountenabled",
    "isactive",
    "activestatus",
    "enabled",
];

/// Where a system keeps the id of an account, the best place first.
pub(super) fn id_names(system: &str) -> &'static [&'static str] {
    match system {
        "hris" => &[
            "employeeid",
            "employeenumber",
            "workerid",
            "personnelnumber",
            "personidexternal",
            "staffid",
            "employeecode",
            "eid",
            "badgenumber",
            "userid",
            "id",
        ],
        "servicenow" => &["sysid"],
        "jira" => &["accountid", "id"],
        "amazon_connect" => &["agentarn", "arn", "userarn"],
        "okta" | "entra" => &["id", "objectid", "userid"],
        _ => &["id", "userid", "agentid"],
    }
}
