"""Texts from outside that are of no kind of the room, each with why that will do."""

BY_THE_FLOW = "the flow makes it canonical by the room, and says what is wrong with it"
COMPARED = "looked up by the key of the mailbox that it is, never stored"
SECRET = "compared whole, never shown, never stored as it is"
EXACT = "kept as it was sent, word by word"
OF_A_SET = "one of a few words, compared with each"
AN_ID = "read as a UUID"
A_SLUG = "compared with slugs, which are ASCII"
A_PROVIDER = "an id, or looked up by the key of the mailbox that it is"
A_TEMPLATE = "composed, and checked as a template, which holds no control characters"
AN_ADDRESS = "checked as an address of the network or of a page"

FIELDS = {
    "Confirmation.token": SECRET,
    "ConsumerLink.token": SECRET,
    "LeadSearch.text": "searched for by its keys, never stored",
    "FilterRule.value": "composed, and checked against the form",
    "ForgottenPassword.email": COMPARED,
    "FirstOperator.email": BY_THE_FLOW,
    "FirstOperator.password": SECRET,
    "FormField.label": "composed, and checked with its form",
    "FormField.options": "composed, and checked with their form",
    "InboxSearch.search": "composed, searched for, never stored",
    "Invitation.email": BY_THE_FLOW,
    "LeadDetails.attributes": "composed, and checked by the form of the niche",
    "LeadDetails.contact_email": BY_THE_FLOW,
    "LeadDetails.contact_name": BY_THE_FLOW,
    "LeadDetails.contact_phone": BY_THE_FLOW,
    "Login.email": COMPARED,
    "Login.password": SECRET,
    "MessageParts.html": A_TEMPLATE,
    "MessageParts.subject": A_TEMPLATE,
    "MessageParts.text": A_TEMPLATE,
    "NewProvider.email": BY_THE_FLOW,
    "NewUser.email": BY_THE_FLOW,
    "NicheTable.field": "composed, and checked as a form",
    "OwnEndpointPatch.field_mapping": "names as the receiver has them, " + EXACT,
    "OwnEndpointPatch.url": AN_ADDRESS,
    "NewOwnEndpoint.field_mapping": "names as the receiver has them, " + EXACT,
    "NewOwnEndpoint.url": AN_ADDRESS,
    "PartnerConsent.ip": AN_ADDRESS,
    "PartnerConsent.user_agent": EXACT,
    "PasswordByLink.password": SECRET,
    "PasswordChange.current_password": SECRET,
    "PasswordChange.new_password": SECRET,
    "StepUpProof.proof": SECRET,
    "ProviderPatch.email": BY_THE_FLOW,
    "ProviderTable.timezone": "one of the names of time zones",
    "PublicConsent.certificate_url": AN_ADDRESS,
    "PublicConsent.source_url": AN_ADDRESS,
    "PublicConsent.text": "a proof of what was agreed to, " + EXACT,
    "Registration.email": BY_THE_FLOW,
    "SecondFactor.code": SECRET,
    "SubscriptionTable.filter": "composed, and checked against the form",
}
"""Members of bodies and of the tables of the marketplace file, by the model that declares them."""

PARAMETERS: dict[str, str] = {}
"""What paths, queries, headers and cookies hold."""

WORDS = {
    "admin create email": BY_THE_FLOW,
    "admin create name": BY_THE_FLOW,
    "admin disable who": COMPARED,
    "admin enable who": COMPARED,
    "admin reset-factor who": COMPARED,
    "distribute lead_id": AN_ID,
    "distribute niche": A_SLUG,
    "explain lead_id": AN_ID,
    "explain provider": A_PROVIDER,
    "export file_format": OF_A_SET,
    "export niche": A_SLUG,
    "export provider": A_PROVIDER,
    "export day_before": "read as a day",
    "export day_from": "read as a day",
    "export what": OF_A_SET,
    "jobs list queue": OF_A_SET,
    "jobs resolve dead_letter_id": AN_ID,
    "jobs resolve memo": BY_THE_FLOW,
    "jobs retry dead_letter_ids": AN_ID,
    "jobs retry queue": OF_A_SET,
    "jobs show dead_letter_id": AN_ID,
    "keys create name": BY_THE_FLOW,
    "keys create provider": A_PROVIDER,
    "keys create scopes": OF_A_SET,
    "keys create user": COMPARED,
    "keys list provider": A_PROVIDER,
    "keys list user": COMPARED,
    "keys revoke key_id": AN_ID,
    "leads approve lead_ids": AN_ID,
    "leads approve niche": A_SLUG,
    "leads import dedupe": "composed, and compared with the columns of the file",
    "leads import delimiter": "compared with the characters of the file",
    "leads import encoding": OF_A_SET,
    "leads import ignore": "composed, and compared with the columns of the file",
    "leads import mapping": "composed, and compared with the columns of the file and the keys of the form",
    "leads import niche": A_SLUG,
    "leads import sheet": "compared with the sheets of the workbook, however it is written",
    "leads list niche": A_SLUG,
    "leads list status": OF_A_SET,
    "notifications list channel": OF_A_SET,
    "notifications list provider": A_PROVIDER,
    "notifications list state": OF_A_SET,
    "notifications replay notification_ids": AN_ID,
    "notifications show notification_id": AN_ID,
    "templates edit kind": OF_A_SET,
    "templates edit memo": BY_THE_FLOW,
    "templates edit subject": A_TEMPLATE,
    "templates preview kind": OF_A_SET,
    "templates preview part": OF_A_SET,
    "templates preview subject": A_TEMPLATE,
    "templates restore kind": OF_A_SET,
    "templates show kind": OF_A_SET,
    "templates show part": OF_A_SET,
    "verify niche": A_SLUG,
    "webhooks pause provider": A_PROVIDER,
    "webhooks pause reason": BY_THE_FLOW,
    "webhooks remove provider": A_PROVIDER,
    "webhooks replay provider": A_PROVIDER,
    "webhooks replay time_from": "read as a time",
    "webhooks resume provider": A_PROVIDER,
    "webhooks resume reason": BY_THE_FLOW,
    "webhooks rotate provider": A_PROVIDER,
    "webhooks set mapping": "names as the receiver has them, " + EXACT,
    "webhooks set provider": A_PROVIDER,
    "webhooks set url": AN_ADDRESS,
    "webhooks show provider": A_PROVIDER,
    "webhooks test provider": A_PROVIDER,
}
"""What is typed behind a verb; tests/cli/test_odd_words.py types it oddly."""

SETTINGS = {
    "database_url": "an address of PostgreSQL's",
    "direct_database_url": "an address of PostgreSQL's",
    "http_host": "looked up as a host of this machine",
    "mail_from": "read as an address by the room, as recipients are",
    "alert_emails": "read as addresses by the room, each mailbox once",
    "public_url": AN_ADDRESS + ", compared as browsers write it",
    "schema_name": "small letters of ASCII, digits and _",
    "encryption_keys": SECRET,
    "smtp_host": "looked up as a host",
    "smtp_password": SECRET,
    "smtp_username": "ASCII, compared by the mail server",
    "trusted_proxies": AN_ADDRESS,
}
"""The environment; all of it is one line of text without control characters."""

COLUMNS = {
    "contact_email": BY_THE_FLOW,
    "contact_name": BY_THE_FLOW,
    "contact_phone": BY_THE_FLOW,
    "external_id": "composed, and compared: by it two rows are the same lead",
    "referrer": BY_THE_FLOW,
    "utm_campaign": BY_THE_FLOW,
    "utm_medium": BY_THE_FLOW,
    "utm_source": BY_THE_FLOW,
}
"""Columns of a file of leads beside those that the form has: these are composed, and checked by the form."""
