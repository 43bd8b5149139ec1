// 全部中文文字。 The English table has the same shape, and the compiler checks that.
import { ownZh } from './own-zh'

export const zh = {
  name: '市民管理台',
  common: {
    search: '搜索', all: '全部', more: '加载更多', reload: '刷新', save: '保存', cancel: '取消', close: '关闭', back: '返回', add: '新建', edit: '修改', remove: '撤销', actions: '操作',
    empty: '暂无内容', loading: '正在加载', none: '无', yes: '是', no: '否', copy: '复制', copied: '已复制', done: '已完成', confirm: '确认', always: '长期', now: '现在',
    details: '详情', by: '经手人', at: '时间', state: '状态', menu: '菜单', skip: '跳到内容', required: '必填', zh: '中文', en: '英文', name: '名称', slug: '标识', version: '版本',
    language: 'English', light: '浅色', dark: '深色', department: '部门', service: '服务', optional: '选填', shownOnce: '只在此显示一次，请立即保存', reason: '原因', error: '出错', page: '第 {0} 项起',
  },
  nav: {
    overview: '总览', services: '服务与开关', switches: '开关记录', approvals: '待办审批', departments: '部门', settings: '限额与时限', gateways: '网关', traffic: '流量', accounts: '账号',
    audit: '审计', contracts: '接口契约', register: '服务注册', clients: '接入系统', webhooks: '事件通知', systems: '后端系统', colleagues: '部门账号', me: '我的账号', city: '城市', own: '本部门', person: '个人',
  },
  login: {
    title: '登录', name: '用户名', password: '密码', code: '验证码', codeHint: '验证器上的六位数字；首次登录、尚未绑定时留空', enter: '登录', out: '退出登录', ended: '会话已结束，请重新登录。',
    welcome: '城市服务的开关、流量与接口，一处可见。', setupPassword: '请先更换初始密码', setupFactor: '请绑定验证器', current: '当前密码', fresh: '新密码', again: '再输一次新密码',
    differ: '两次输入的新密码不同', passwordHint: '至少 12 个字符，不用常见密码', scan: '用手机上的验证器应用扫描二维码，再输入它显示的六位数字。', manual: '不能扫描时，手动输入密钥', enrol: '绑定', provider: '城市统一身份登录', or: '或', providerRefused: '身份提供方没有放行', unavailable: '此网关尚未提供这一步，请联系管理员在服务器上办理。',
  },
  role: { system: '系统管理员', security: '安全管理员', audit: '审计员', operator: '操作员', manager: '部门管理员', engineer: '部门工程师' },
  problem: {
    title: '没有成功', trace: '报障时请提供', next: '怎么办',
    help: {
      unreachable: '连不上网关。请检查网络，稍后再试。', script: '页面出错了。请刷新后再试。', 'credentials-rejected': '请核对用户名、密码和验证码；验证码每 30 秒更换，且只能用一次。',
      'precondition-failed': '有人先改了这条记录。请刷新后重做。', conflict: '与当前状态冲突。请刷新，看看现在是什么状态。', forbidden: '你的角色不能这样做。请找有相应角色的同事。', unauthenticated: '请重新登录。',
    } as Record<string, string>,
    byStatus: { 400: '请按提示修改后再试。', 404: '它可能已被移走。请返回列表。', 422: '请按下面的提示修改后再提交。', 429: '请求过多，请等一会儿再试。', 500: '这是网关的问题。请稍后再试，仍不行请报障。', 502: '部门系统出了错。请联系该部门。', 503: '暂时不可用，请稍后再试。', 504: '部门系统没有及时答复，请稍后再试。' } as Record<number, string>,
  },
  position: { open: '开放', no_new: '暂停新办', read_only: '只读', off: '关闭' },
  positionHint: { open: '一切照常', no_new: '已受理的继续，不收新的', read_only: '只能查询', off: '市民不能使用' },
  scope: { service: '服务', department: '部门', category: '类别', area: '区划', city: '全市' },
  switchState: { holds: '生效中', planned: '计划中', ended: '已结束', replaced: '已被取代', undone: '已撤销', undo: '撤销' },
  level: { L0: '访客', L1: '手机', L2: '实名', L3: '实人', L4: '证书' },
  archetype: { query: '查', cert: '证', assess: '算', apply: '办', report: '诉', bill: '缴', book: '约', listing: '招', vote: '议', locate: '找', feed: '看', content: '读' },
  outcome: { ok: '成功', client_error: '请求有误', server_error: '出错', left: '用户离开' } as Record<string, string>,
  overview: {
    live: '实时', reconnecting: '正在重连', rate: '每秒调用', today: '今日调用', failed: '近两分钟出错', slow: '近两分钟 P90', gateways: '网关', current: '{0} / {1} 为最新', hour: '最近一小时', perMinute: '每分钟调用',
    byDepartment: '各部门，近两分钟', inForce: '生效中的开关', planned: '计划中的开关', waiting: '待第二人确认', noSwitches: '全部开放', noPlans: '没有计划', noWaiting: '没有待办', stale: '失联', allWell: '全部正常',
  },
  services: {
    find: '名称、拼音首字母或英文', category: '类别', department: '部门', position: '位置', level: '等级', until: '至 {0}', from: '自 {0}', planned: '计划', set: '设置开关', more: '更大范围的开关',
    archetype: '类型', count: '已显示 {0} 项',
  },
  change: {
    title: '设置开关', scope: '范围', target: '对象', share: '市民比例', shareHint: '只影响这一比例的市民；100% 为全部', position: '位置', reason: '给市民看的原因', reasonZh: '中文原因', reasonEn: '英文原因', window: '时间', from: '开始', until: '结束',
    atOnce: '立即生效', openEnd: '不自动结束', preview: '预览影响', apply: '生效', propose: '提交第二人确认', needsTwo: '影响面大，须由另一人确认后才生效。', hits: '将影响', reach: '服务', calls: '近一小时调用', sessions: '在线会话',
    cases: '在办事项', bookings: '明日预约', payments: '未结缴费', dependants: '依赖它们的服务', unknown: '尚无统计', first: '先预览，再生效。', changed: '内容已改，请重新预览。', done: '已生效', proposed: '已提交，等待另一人确认', planned: '已列入计划',
    taken: '{0} 个网关已采用', notTaken: '有网关尚未采用', estimated: '估算', andMore: '等 {0} 项', areaHint: '区划代码，如 510104', missing: '请填写中英文原因',
  },
  switches: { title: '开关记录', current: '生效与计划', history: '全部历史', undo: '撤销', undoAsk: '撤销后，此前的设置与计划重新生效。确定？', undone: '已撤销', what: '对象', window: '时间', reason: '原因', of: '撤销第 {0} 条', share: '{0}% 市民' },
  approvals: {
    title: '待办审批', proposals: '开关与设置', waiting: '待确认', all: '全部', wish: '提案', reach: '影响服务', by: '提案人', expires: '过期', confirm: '确认', refuse: '否决', takeBack: '收回', own: '须由另一人确认', confirmed: '已确认并生效', refused: '已否决',
    state: { waiting: '待确认', confirmed: '已确认', refused: '已否决', expired: '已过期' } as Record<string, string>, ask: '确认后立即生效。确定？', submissions: '服务上线', approve: '批准上线', decline: '退回', share: '先对这一比例的市民开放', declineReason: '退回的原因', approved: '已批准', declined: '已退回', report: '检查报告',
    submitted: '送审', look: '查看送审', follows: '接替第 {0} 版', definition: '服务定义的变化', firstDefinition: '服务定义（首次上线）', contract: '接口文档的变化', same: '没有变化', levels: { breaking: '不兼容', compatible: '兼容', editorial: '文字' } as Record<string, string>, approveShare: '先对 {0}% 的市民上线', onTrial: '已对 {0}% 的市民试行',
    registered: '已上线的登记服务', noRegistered: '尚无部门登记的服务', live: '在用版本', trial: '试行', trialOf: '第 {0} 版试行，{1}% 的市民', versions: '版本', newShare: '试行比例', setShare: '更改比例', promote: '全部上线', promoted: '已对全部市民上线', promoteAsk: '试行版本将对全部市民上线。确定？', withdraw: '撤下试行', rollBack: '退回上一版本', rolledBack: '已退回', rollBackAsk: '市民将回到之前的版本。确定？', happened: '经过',
    events: { drafted: '起草', submitted: '送审', 'gate failed': '检查未通过', refused: '退回', 'on trial': '试行', withdrawn: '撤下试行', live: '上线', promoted: '全部上线', 'rolled back': '恢复', removed: '移出目录', retiring: '公告停用' } as Record<string, string>,
    checks: { credentials: '凭证', reachable: '可达', contract: '符合契约', authentication_missing: '无凭证被拒', authentication_wrong: '错误凭证被拒', errors: '错误如实', errors_parameter: '缺参数即报错', errors_resource: '无此资源即报错', replay: '重放只办一次', deadline: '时限', masks: '遮蔽' } as Record<string, string>, results: { passed: '通过', failed: '未通过', not_applicable: '不适用' } as Record<string, string>,
  },
  gateways: { title: '网关', host: '主机', program: '程序', workers: '线程', started: '启动', snapshot: '快照', beat: '最近报到', silent: '{0} 前', stale: '失联', current: '最新', behind: '落后', staleHint: '失联的网关可能与数据库断开，仍在用旧的开关服务。', newest: '最新快照：', allCurrent: '全部网关都在用它。', since: '{0} 前失联，其开关停在 {1}' },
  traffic: {
    title: '流量', span: '时段', hour: '最近一小时', sixHours: '最近六小时', day: '最近一天', week: '最近一周', month: '最近三十天', calls: '调用', ok: '成功率', p50: 'P50', p90: 'P90', p99: 'P99', cache: '缓存命中', byService: '按服务', byDepartment: '按部门', byOperation: '部门接口',
    operation: '接口', problems: '错误类型', direct: '接口直通', truncated: '数据过多，已截断。请缩短时段。', footprints: '个人数据读取', purpose: '用途', reader: '读取方', reads: '次数', day_: '日期', latency: '耗时',
  },
  departments: { title: '部门', kind: '类型', services: '服务数', kinds: { party: '党委部门', government: '政府部门', subordinate: '直属机构', vertical: '垂直管理', institution: '事业单位', mass_organisation: '群团组织', state_enterprise: '国有企业', utility: '公用事业' } as Record<string, string>, showServices: '看服务' },
  settings: {
    title: '限额与时限', add: '修改设置', setting: '设置', value: '值', target: '对象', current: '生效中', history: '历史', reset: '恢复定义', undo: '撤销', undone: '已撤销', done: '已生效', back: '恢复定义', reason: '原因（给同事看）',
    names: { deadline_ms: '答复时限', concurrency: '并发', breaker: '熔断', cache: '缓存', limit: '限额' } as Record<string, string>, hints: { deadline_ms: '毫秒，50 至 60000', concurrency: '同时调用数', breaker: '失败占比达到此值即熔断', cache: '秒', limit: '次数 / 秒' } as Record<string, string>,
    ratio: '失败占比', minimum: '至少调用', fresh: '新鲜（秒）', stale: '可用旧值（秒）', requests: '次数', window: '窗口（秒）', states: { holds: '生效中', replaced: '已被取代', undone: '已撤销', undo: '撤销' } as Record<string, string>, calls: '{0} 次', per: '{0} 次 / {1} 秒', breaks: '{0}，至少 {1} 次', keeps: '{0} 秒，旧值 {1} 秒',
  },
  accounts: {
    title: '账号', add: '新账号', name: '用户名', display: '显示名', roles: '角色', place: '部门或区划', area: '区划代码', state: '状态', active: '正常', locked: '已停用', factor: '验证器', enrolled: '已绑定', notEnrolled: '未绑定', last: '最近登录', never: '从未', lock: '停用', unlock: '启用', reset: '重置',
    resetAsk: '密码与验证器都将重置，现有会话结束。确定？', lockAsk: '停用后即刻不能登录，现有会话结束。确定？', password: '首次登录的密码', sessions: '会话', endAll: '结束全部会话', changed: '已更改', ended: '会话已全部结束', endAsk: '此账号的会话将全部结束，须重新登录。确定？', edit: '角色与范围', change: '更改账号', city: '全市', hint: '系统、安全、审计三种角色不可兼任。操作员限于一个部门或区划。', nameHint: '小写字母开头，可含数字和 . _ -',
  },
  audit: {
    title: '审计', note: '查询本身也会记入审计。', view: '视图', records: '记录', checkpoints: '检查点', take: '导出（已签名）', actor: '操作者', actorHint: '操作者，如 staff:alice', object: '对象', objectHint: '对象，如 service:metro-arrivals', action: '操作', actionHint: '操作，如 setSwitch', result: '结果', resultHint: '结果，如 403', address: '来源地址', from: '起始', to: '截止',
    record: '审计记录', number: '链上序号', detail: '说明', trace: '请求编号', all: '它的全部记录', end: '链的末端', noCheckpoints: '尚无检查点', signed: '签名时间', upTo: '签到第', hash: '哈希', key: '签名密钥', prove: '在服务器上证明整条链：',
  },
  me: { title: '我的账号', sessions: '我的会话', device: '设备', address: '地址', opened: '登录', expires: '到期', current: '本次', end: '结束', endAll: '全部退出', password: '更换密码', roles: '角色' },
  clients: {
    title: '接入系统', add: '新接入系统', name: '名称', nameHint: '小写字母、数字和连字符', label: '说明', scopes: '权限', credentials: '凭证', revoked: '已撤销', revoke: '撤销', revokeAsk: '它的令牌即刻失效，且不能恢复。确定？', addCredential: '新凭证', method: '方式', others: '其余凭证何时失效', othersHint: '留一段重叠，让程序从旧凭证换到新凭证', secret: '密钥', noCredential: '尚无凭证', until: '至 {0}', made: '已建立',
    scope: { contracts: '契约', services: '服务', clients: '接入系统', traffic: '流量', webhooks: '通知' } as Record<string, string>, methods: { private_key_jwt: '私钥签名（推荐）', tls_client_auth: '双向 TLS：由机构签发', self_signed_tls_client_auth: '双向 TLS：自签证书', client_secret: '密钥（最弱）' } as Record<string, string>,
    jwk: '公钥（JWK）', certificate: '证书（PEM）', subject: '证书主题', badJwk: '不是有效的 JSON', keep: '不变', in1h: '一小时后', in1d: '一天后', in7d: '七天后',
  },
  ...ownZh,
}
export type Text = typeof zh
