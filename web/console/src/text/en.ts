// All English text, in the shape of the Chinese table.
import { ownEn } from './own-en'
import type { Text } from './zh'

export const en: Text = {
  name: 'Shimin Console',
  common: {
    search: 'Search', all: 'All', more: 'Load more', reload: 'Reload', save: 'Save', cancel: 'Cancel', close: 'Close', back: 'Back', add: 'New', edit: 'Change', remove: 'Revoke', actions: 'Actions',
    empty: 'Nothing here', loading: 'Loading', none: 'None', yes: 'Yes', no: 'No', copy: 'Copy', copied: 'Copied', done: 'Done', confirm: 'Confirm', always: 'No end', now: 'now',
    details: 'Details', by: 'By', at: 'When', state: 'State', menu: 'Menu', skip: 'Skip to content', required: 'Required', zh: 'Chinese', en: 'English', name: 'Name', slug: 'Slug', version: 'Version',
    language: '中文', light: 'Light', dark: 'Dark', department: 'Department', service: 'Service', optional: 'optional', shownOnce: 'Shown only here: keep it now', reason: 'Reason', error: 'Error', page: 'from item {0}',
  },
  nav: {
    overview: 'Overview', services: 'Services & switches', switches: 'Switch history', approvals: 'Approvals', departments: 'Departments', settings: 'Limits & deadlines', gateways: 'Gateways', traffic: 'Traffic', accounts: 'Accounts',
    audit: 'Audit', contracts: 'Contracts', register: 'Service registry', clients: 'Clients', webhooks: 'Webhooks', systems: 'Systems', colleagues: 'Department accounts', me: 'My account', city: 'City', own: 'My department', person: 'Me',
  },
  login: {
    title: 'Log in', name: 'User name', password: 'Password', code: 'Code', codeHint: 'Six digits of your authenticator; empty at the first login, before it is enrolled', enter: 'Log in', out: 'Log out', ended: 'Your session has ended. Please log in again.',
    welcome: 'Switches, traffic and interfaces of the city\'s services in one place.', setupPassword: 'First change the initial password', setupFactor: 'Enrol your authenticator', current: 'Current password', fresh: 'New password', again: 'New password once more',
    differ: 'The new passwords differ', passwordHint: 'At least 12 characters, and not a common one', scan: 'Scan the code with the authenticator on your phone, then type the six digits that it shows.', manual: 'If it cannot be scanned, type this secret', enrol: 'Enrol', provider: 'Log in with the city\'s identity', or: 'or', providerRefused: 'The identity provider did not let you in', unavailable: 'This gateway does not offer this step yet; ask an administrator to do it on the server.',
  },
  role: { system: 'System administrator', security: 'Security administrator', audit: 'Auditor', operator: 'Operator', manager: 'Department manager', engineer: 'Department engineer' },
  problem: {
    title: 'That did not work', trace: 'For a report', next: 'What to do',
    help: {
      unreachable: 'The gateway cannot be reached. Check the network and try again.', script: 'The page failed. Reload it and try again.', 'credentials-rejected': 'Check name, password and code; a code changes every 30 seconds and is good once.',
      'precondition-failed': 'Somebody changed this first. Reload and do it again.', conflict: 'It conflicts with how things are now. Reload to see.', forbidden: 'Your roles do not allow this. Ask a colleague who has the role.', unauthenticated: 'Please log in again.',
    },
    byStatus: { 400: 'Correct what is named and try again.', 404: 'It may be gone. Go back to the list.', 422: 'Correct what is named below and send it again.', 429: 'Too many requests: wait a moment.', 500: 'The gateway failed. Try later; report it if it stays.', 502: 'The department\'s system failed. Ask the department.', 503: 'Away for the moment. Try again soon.', 504: 'The department did not answer in time. Try again soon.' },
  },
  position: { open: 'Open', no_new: 'Nothing new', read_only: 'Read only', off: 'Off' },
  positionHint: { open: 'All as usual', no_new: 'Cases go on, none begin', read_only: 'Only reading', off: 'Citizens cannot use it' },
  scope: { service: 'Service', department: 'Department', category: 'Category', area: 'Area', city: 'Whole city' },
  switchState: { holds: 'In force', planned: 'Planned', ended: 'Ended', replaced: 'Replaced', undone: 'Undone', undo: 'Undo' },
  level: { L0: 'Guest', L1: 'Phone', L2: 'Real name', L3: 'Live face', L4: 'Certificate' },
  archetype: { query: 'Query', cert: 'Certificate', assess: 'Assess', apply: 'Apply', report: 'Report', bill: 'Bill', book: 'Book', listing: 'Listing', vote: 'Vote', locate: 'Locate', feed: 'Feed', content: 'Content' },
  outcome: { ok: 'OK', client_error: 'Client error', server_error: 'Failed', left: 'Left' },
  overview: {
    live: 'Live', reconnecting: 'Reconnecting', rate: 'Calls a second', today: 'Calls today', failed: 'Failed, last 2 min', slow: 'P90, last 2 min', gateways: 'Gateways', current: '{0} of {1} up to date', hour: 'The last hour', perMinute: 'Calls a minute',
    byDepartment: 'By department, last 2 min', inForce: 'Switches in force', planned: 'Planned switches', waiting: 'Waiting for a second person', noSwitches: 'Everything is open', noPlans: 'Nothing is planned', noWaiting: 'Nothing waits', stale: 'Silent', allWell: 'All well',
  },
  services: {
    find: 'Name, pinyin initials or English', category: 'Category', department: 'Department', position: 'Position', level: 'Level', until: 'until {0}', from: 'from {0}', planned: 'Planned', set: 'Switch', more: 'Switch more than one',
    archetype: 'Kind', count: '{0} shown',
  },
  change: {
    title: 'Set a switch', scope: 'Reach', target: 'Of', share: 'Share of citizens', shareHint: 'Hits this share of the citizens only; 100% is all', position: 'Position', reason: 'Reason that citizens see', reasonZh: 'Reason in Chinese', reasonEn: 'Reason in English', window: 'Window', from: 'From', until: 'Until',
    atOnce: 'At once', openEnd: 'Until it is changed', preview: 'Preview', apply: 'Put into effect', propose: 'Ask a second person', needsTwo: 'It reaches far: a second person must confirm it first.', hits: 'It would hit', reach: 'Services', calls: 'Calls, last hour', sessions: 'Sessions now',
    cases: 'Open cases', bookings: 'Bookings tomorrow', payments: 'Unsettled payments', dependants: 'Services that need them', unknown: 'not counted yet', first: 'Preview first, then put it into effect.', changed: 'This was changed: preview again.', done: 'In effect', proposed: 'Sent: somebody else must confirm it', planned: 'It is planned',
    taken: '{0} gateways have taken it up', notTaken: 'A gateway has not taken it up', estimated: 'estimate', andMore: 'of {0}', areaHint: 'Division code, e.g. 510104', missing: 'Give the reason in both languages',
  },
  switches: { title: 'Switch history', current: 'In force & planned', history: 'All history', undo: 'Undo', undoAsk: 'What held before will hold again, plans included. Undo?', undone: 'Undone', what: 'Of', window: 'Window', reason: 'Reason', of: 'Undoes no. {0}', share: '{0}% of citizens' },
  approvals: {
    title: 'Approvals', proposals: 'Switches & settings', waiting: 'Waiting', all: 'All', wish: 'Proposal', reach: 'Services hit', by: 'Proposed by', expires: 'Expires', confirm: 'Confirm', refuse: 'Refuse', takeBack: 'Take back', own: 'Somebody else must confirm', confirmed: 'Confirmed and in effect', refused: 'Refused',
    state: { waiting: 'Waiting', confirmed: 'Confirmed', refused: 'Refused', expired: 'Expired' }, ask: 'It takes effect at once. Confirm?', submissions: 'Services to publish', approve: 'Approve', decline: 'Send back', share: 'Begin with this share of citizens', declineReason: 'Why it is sent back', approved: 'Approved', declined: 'Sent back', report: 'Gate report',
    submitted: 'Submitted', look: 'Look at it', follows: 'follows version {0}', definition: 'What changes in the service', firstDefinition: 'The service, new', contract: 'What changes in the contract', same: 'Nothing changes', levels: { breaking: 'Breaking', compatible: 'Compatible', editorial: 'Editorial' }, approveShare: 'Publish to {0}% of citizens first', onTrial: 'On trial for {0}% of citizens',
    registered: 'Registered services in use', noRegistered: 'No department has registered one yet', live: 'Live version', trial: 'On trial', trialOf: 'Version {0} on trial for {1}%', versions: 'Versions', newShare: 'Share of citizens', setShare: 'Change the share', promote: 'Publish to all', promoted: 'Live for all', promoteAsk: 'The version on trial goes live for all citizens. Publish?', withdraw: 'End the trial', rollBack: 'Roll back', rolledBack: 'Rolled back', rollBackAsk: 'Citizens go back to the version before. Roll back?', happened: 'What happened',
    events: { drafted: 'Drafted', submitted: 'Submitted', 'gate failed': 'Gate failed', refused: 'Sent back', 'on trial': 'On trial', withdrawn: 'Trial ended', live: 'Live', promoted: 'Live for all', 'rolled back': 'Brought back', removed: 'Removed', retiring: 'End announced' },
    checks: { credentials: 'Credentials', reachable: 'Reachable', contract: 'Matches the contract', authentication_missing: 'Refuses without credentials', authentication_wrong: 'Refuses wrong credentials', errors: 'Errors are errors', errors_parameter: 'Refuses without a required parameter', errors_resource: 'No record where there is no resource', replay: 'A replay acts once', deadline: 'Deadline', masks: 'Masks' }, results: { passed: 'Passed', failed: 'Failed', not_applicable: 'Not applicable' },
  },
  gateways: { title: 'Gateways', host: 'Host', program: 'Program', workers: 'Workers', started: 'Started', snapshot: 'Snapshot', beat: 'Last heard of', silent: '{0} ago', stale: 'Silent', current: 'Up to date', behind: 'Behind', staleHint: 'A silent gateway may be cut off from the database and serve on with old switches.', newest: 'Newest snapshot: ', allCurrent: 'All gateways run it.', since: 'silent for {0}; its switches are those of {1}' },
  traffic: {
    title: 'Traffic', span: 'Span', hour: 'Last hour', sixHours: 'Last 6 hours', day: 'Last day', week: 'Last week', month: 'Last 30 days', calls: 'Calls', ok: 'OK', p50: 'P50', p90: 'P90', p99: 'P99', cache: 'Cache hits', byService: 'By service', byDepartment: 'By department', byOperation: 'Department\'s operations',
    operation: 'Operation', problems: 'Problems', direct: 'Passed through', truncated: 'Too much data: cut off. Choose a shorter span.', footprints: 'Reads of personal data', purpose: 'Purpose', reader: 'Reader', reads: 'Reads', day_: 'Day', latency: 'Latency',
  },
  departments: { title: 'Departments', kind: 'Kind', services: 'Services', kinds: { party: 'Party', government: 'Government', subordinate: 'Subordinate', vertical: 'Vertical', institution: 'Institution', mass_organisation: 'Mass organisation', state_enterprise: 'State enterprise', utility: 'Utility' }, showServices: 'Services' },
  settings: {
    title: 'Limits & deadlines', add: 'Change a setting', setting: 'Setting', value: 'Value', target: 'Of', current: 'In force', history: 'History', reset: 'Back to definition', undo: 'Undo', undone: 'Undone', done: 'In effect', back: 'definition', reason: 'Reason (for colleagues)',
    names: { deadline_ms: 'Deadline', concurrency: 'Concurrency', breaker: 'Breaker', cache: 'Cache', limit: 'Limit' }, hints: { deadline_ms: 'Milliseconds, 50 to 60000', concurrency: 'Calls at a time', breaker: 'Opens at this ratio of failures', cache: 'Seconds', limit: 'Requests in seconds' },
    ratio: 'Failure ratio', minimum: 'Calls at least', fresh: 'Fresh (s)', stale: 'Stale is fine (s)', requests: 'Requests', window: 'Window (s)', states: { holds: 'In force', replaced: 'Replaced', undone: 'Undone', undo: 'Undo' }, calls: '{0} calls', per: '{0} in {1} s', breaks: '{0}, of {1} at least', keeps: '{0} s, stale {1} s',
  },
  accounts: {
    title: 'Accounts', add: 'New account', name: 'User name', display: 'Shown as', roles: 'Roles', place: 'Department or area', area: 'Area code', state: 'State', active: 'Active', locked: 'Locked', factor: 'Authenticator', enrolled: 'Enrolled', notEnrolled: 'Not enrolled', last: 'Last login', never: 'Never', lock: 'Lock', unlock: 'Unlock', reset: 'Reset',
    resetAsk: 'Password and authenticator are reset, and all sessions end. Reset?', lockAsk: 'It cannot log in any more, and its sessions end at once. Lock?', password: 'Password of the first login', sessions: 'Sessions', endAll: 'End all sessions', changed: 'Changed', ended: 'All its sessions have ended', endAsk: 'All sessions of this account end, and it must log in again. End them?', edit: 'Roles and reach', change: 'Change an account', city: 'Whole city', hint: 'Nobody holds two of system, security and audit. An operator\'s rights end at a department or an area.', nameHint: 'Begins with a small letter; then also digits and . _ -',
  },
  audit: {
    title: 'Audit', note: 'A search is itself in the audit.', view: 'View', records: 'Records', checkpoints: 'Checkpoints', take: 'Export (signed)', actor: 'Who', actorHint: 'Who, e.g. staff:alice', object: 'Object', objectHint: 'Object, e.g. service:metro-arrivals', action: 'Action', actionHint: 'Action, e.g. setSwitch', result: 'Result', resultHint: 'Result, e.g. 403', address: 'From where', from: 'From', to: 'Before',
    record: 'A record', number: 'Place in the chain', detail: 'Detail', trace: 'Request', all: 'All of it', end: 'End of the chain', noCheckpoints: 'No checkpoint yet', signed: 'Signed', upTo: 'Up to record', hash: 'Hash', key: 'Key', prove: 'To prove the whole chain, on the server:',
  },
  me: { title: 'My account', sessions: 'My sessions', device: 'Device', address: 'Address', opened: 'Opened', expires: 'Expires', current: 'This one', end: 'End', endAll: 'Log out everywhere', password: 'Change password', roles: 'Roles' },
  clients: {
    title: 'Clients', add: 'New client', name: 'Name', nameHint: 'Small letters, digits and hyphens', label: 'Title', scopes: 'Scopes', credentials: 'Credentials', revoked: 'Revoked', revoke: 'Revoke', revokeAsk: 'Its tokens end at once, and it cannot be brought back. Revoke?', addCredential: 'New credential', method: 'Method', others: 'The other credentials end', othersHint: 'Leave an overlap for programs to move from the old one to the new', secret: 'Secret', noCredential: 'No credential yet', until: 'until {0}', made: 'Made',
    scope: { contracts: 'Contracts', services: 'Services', clients: 'Clients', traffic: 'Traffic', webhooks: 'Webhooks' }, methods: { private_key_jwt: 'Signed by private key (best)', tls_client_auth: 'Mutual TLS, issued by an authority', self_signed_tls_client_auth: 'Mutual TLS, self-signed', client_secret: 'Secret (weakest)' },
    jwk: 'Public key (JWK)', certificate: 'Certificate (PEM)', subject: 'Certificate\'s subject', badJwk: 'This is no valid JSON', keep: 'unchanged', in1h: 'in an hour', in1d: 'in a day', in7d: 'in seven days',
  },
  ...ownEn,
}
