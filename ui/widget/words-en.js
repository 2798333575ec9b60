/** The words of the widget in English. */

export default {
  title: "Customer service", open: "Open chat", close: "Close chat", menu: "More",
  unread: (count) => `${count} new`, label: "Your message", placeholder: "Write a message…",
  send: "Send", human: "Talk to a human", askHuman: "I would like to talk to a human",
  welcome: "Hello! How can I help you?", typing: "Writing a reply",
  trouble: "Connection lost. Reconnecting…", source: "Source: ", article: "Open article",
  rating: "Was this helpful?", up: "Helpful", down: "Not helpful",
  thanks: "Thank you for your feedback.", related: "See also:",
  refused: "Something went wrong. Please try again.", you: "You: ",
  bot: "Automated assistant", agent: "Customer service", person: "agent",
  withHuman: (name) => `You are now chatting with ${name}.`,
  types: (name) => `${name} is typing…`,
  queued: (place) =>
  `Waiting for an agent${place ? `. You are number ${place} in the queue` : ""}.`,
  over: "This conversation has ended. Send a message to continue.", latest: "Go to latest message",
  clip: "Attach a file", tooLarge: "This file is too large.", remove: (name) => `Remove ${name}`,
  transcript: "Download conversation", rate: "Rate conversation", anew: "Start new conversation",
  forget: "Delete my data",
  privacyText: "An automated assistant answers. Conversations are stored.",
  privacy: "Privacy policy",
};
