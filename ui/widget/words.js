/** What the widget says, in the languages it speaks. */

export const STRINGS = {
  en: {
    title: "Customer service", assistant: "Automatic assistant", open: "Open the chat",
    close: "Close the chat", label: "Your message", placeholder: "Ask about orders, returns, gear…",
    send: "Send", human: "Talk to a human", askHuman: "I would like to talk to a human",
    welcome: "Hello! Ask me about an order, a return or a product.", typing: "A reply is coming",
    reconnecting: "Connection lost, reconnecting…", source: (title) => `Source: ${title}`, article: "Open the article",
    up: "This helped", down: "This did not help", thanks: "Thank you for the feedback.",
    related: "See also:", refused: "This message could not be sent.",
    customer: "You", bot: "Assistant", agent: "Colleague", withHuman: (name) => `${name ?? "A colleague"} is with you.`,
    types: (name) => `${name ?? "A colleague"} is typing …`,
    queued: (place) =>
      `Waiting for a colleague${place ? `: you are number ${place} in the queue` : ""}.`,
  },
  zh: {
    title: "客户服务", assistant: "自动助手", open: "打开聊天", close: "关闭聊天", label: "您的消息",
    placeholder: "请输入订单、退货或商品问题…", send: "发送", human: "人工客服", askHuman: "我要找人工客服",
    welcome: "您好！订单、退货和商品问题都可以问我。", typing: "正在回复",
    reconnecting: "连接中断，正在重新连接…", source: (title) => `来源：${title}`, article: "查看文章",
    up: "有帮助", down: "没有帮助", thanks: "感谢您的反馈。", related: "相关内容：",
    refused: "这条消息无法发送。", customer: "您", bot: "助手", agent: "客服",
    withHuman: (name) => `${name ?? "人工客服"} 正在为您服务。`,
    types: (name) => `${name ?? "人工客服"} 正在输入……`,
    queued: (place) => `正在等待人工客服${place ? `，您排在第 ${place} 位` : ""}。`,
  },
};
