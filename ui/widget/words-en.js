/** What the widget says in English. */

export default {
  title: "Customer service", open: "Open the chat", close: "Close the chat", menu: "More",
  unread: (count) => `${count} new`, label: "Your message", placeholder: "Write a message…",
  send: "Send", human: "Talk to a human", askHuman: "I would like to talk to a human",
  welcome: "Hello! What can I help you with?", typing: "A reply is coming",
  trouble: "Connection lost, reconnecting…", source: "Source: ", article: "Open the article",
  rating: "Was this helpful?", up: "This helped", down: "This did not help",
  thanks: "Thank you for the feedback.", related: "See also:", refused: "This could not be sent.", you: "You: ",
  bot: "Automatic assistant", agent: "Colleague", person: "person",
  withHuman: (name) => `${name} is with you.`,
  types: (name) => `${name} is typing …`,
  queued: (place) =>
  `Waiting for a colleague${place ? `: you are number ${place} in the queue` : ""}.`,
  over: "This conversation has ended. Write to go on.", latest: "To the latest message",
  clip: "Attach a file", tooLarge: "The file is too large.", remove: (name) => `Remove ${name}`,
  transcript: "Download the conversation", rate: "Rate and end", anew: "New conversation",
  forget: "Delete my data",
  privacyText: "An automatic assistant answers. Conversations are kept.", privacy: "Privacy",
};
