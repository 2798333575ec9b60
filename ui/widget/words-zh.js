/** What the widget says in Chinese. */

export default {
  title: "客户服务", open: "打开聊天", close: "关闭聊天", menu: "更多", unread: (count) => `${count} 条新消息`,
  label: "您的消息", placeholder: "请输入消息…", send: "发送", human: "人工客服", askHuman: "我要找人工客服",
  welcome: "您好！请问有什么可以帮您？", typing: "正在回复", trouble: "连接中断，正在重新连接…",
  source: "来源：", article: "查看文章", rating: "有帮助吗？", up: "有帮助", down: "没有帮助",
  thanks: "感谢您的反馈。", related: "相关内容：", refused: "发送失败。", you: "您：", bot: "自动助手", agent: "客服", person: "人工", withHuman: (name) => `${name} 正在为您服务。`,
  types: (name) => `${name} 正在输入……`,
  queued: (place) => `正在等待人工客服${place ? `，您排在第 ${place} 位` : ""}。`,
  over: "对话已结束，可继续留言。", latest: "最新消息", clip: "添加文件", tooLarge: "文件太大。",
  remove: (name) => `移除 ${name}`, transcript: "下载对话记录", rate: "评价并结束", anew: "新对话",
  forget: "删除我的数据", privacyText: "由自动助手回答，对话会保存。", privacy: "隐私说明",
};
