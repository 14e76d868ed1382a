//! Streamed answers: a line for each piece.

use multillm::Error;
use multillm::chat::ChatEvent;

use super::super::asked::Reply;
use super::super::calls::Calls;
use super::super::{Renderer, framing, media, refused};
use super::answer;

/// The lines of an answer.
pub(in super::super) struct Stream {
    reply: Reply,
    plugin: String,
    calls: Calls,
}

impl Stream {
    pub(in super::super) fn new(reply: Reply) -> Self {
        Stream {
            reply,
            plugin: String::new(),
            calls: Calls::default(),
        }
    }

    fn say(&self, text: &str, thoughts: Option<&str>, pictures: Vec<String>, out: &mut Vec<u8>) {
        let mut line = answer::head(&self.reply);
        answer::say(&self.reply, &mut line, text, thoughts, vec![], pictures);
        line.insert("done", false);
        framing::line(out, &line);
    }
}

impl Renderer for Stream {
    fn begin(&mut self, plugin: &str, _out: &mut Vec<u8>) {
        plugin.clone_into(&mut self.plugin);
    }

    fn event(&mut self, event: &ChatEvent, out: &mut Vec<u8>) {
        match event {
            ChatEvent::Text { text } => self.say(text, None, vec![], out),
            ChatEvent::Reasoning { text } => self.say("", Some(text), vec![], out),
            // Calls come whole on this wire.
            ChatEvent::ToolCall(call) => {
                let Some(place) = self.calls.complete() else {
                    return;
                };
                let call = answer::called(&self.reply, call, place, &self.plugin);
                let mut line = answer::head(&self.reply);
                answer::say(&self.reply, &mut line, "", None, vec![call], vec![]);
                line.insert("done", false);
                framing::line(out, &line);
            }
            ChatEvent::Media(one) => {
                if let Some((_, data)) = media::base64(one) {
                    self.say("", None, vec![data], out);
                }
            }
            ChatEvent::Done(whole) => {
                let mut line = answer::head(&self.reply);
                answer::say(&self.reply, &mut line, "", None, vec![], vec![]);
                answer::end(&mut line, whole);
                framing::line(out, &line);
            }
            _ => {}
        }
    }

    fn cut(&mut self, error: &Error, out: &mut Vec<u8>) {
        framing::line(out, &refused::told(self.reply.form.face, error));
    }

    /// The wire has no sign of life: its readers wait for as long as a model takes to load.
    fn ping(&mut self, _out: &mut Vec<u8>) {}
}
