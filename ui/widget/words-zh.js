/** The words of the widget in Chinese. */

export default {
  title: "在线客服", open: "打开聊天", close: "关闭聊天", menu: "更多", unread: (count) => `${count} 条新消息`,
  label: "消息", placeholder: "请输入消息…", send: "发送", human: "转人工", askHuman: "我要找人工客服",
  welcome: "您好，请问有什么可以帮您？", typing: "正在输入回复", trouble: "连接已断开，正在重连…",
  source: "来源：", article: "查看文章", rating: "这条回复有帮助吗？", up: "有帮助", down: "没帮助",
  thanks: "感谢您的反馈！", related: "相关内容：", refused: "操作失败，请重试。", you: "您：",
  bot: "智能助手", agent: "客服", person: "人工客服",
  withHuman: (name) => `${name} 正在为您服务。`, types: (name) => `${name} 正在输入…`,
  queued: (place) => `正在等待人工客服${place ? `，您排在第 ${place} 位` : ""}。`,
  over: "会话已结束，发送消息可继续咨询。", latest: "查看最新消息", clip: "添加附件",
  tooLarge: "文件过大。", remove: (name) => `移除 ${name}`, transcript: "下载聊天记录",
  rate: "评价服务", anew: "开始新会话", forget: "删除我的数据",
  privacyText: "由智能助手自动回复，聊天记录会被保存。", privacy: "隐私政策",
};
