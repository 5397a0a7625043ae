//! What a method sends, publishes, asks with and waits for, as far as its words say which type it is.

use proc_macro2::Span;
use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::{
    Arm, Block, Error, Expr, ExprCall, ExprClosure, ExprForLoop, ExprIf, ExprMethodCall, ExprWhile, Ident, ImplItemFn, ItemFn, Local,
    Macro, Pat, PatIdent, PatType, Result, Token, Type,
};

use super::returned::Returned;
use super::variables::{Known, Variables, turbofish};

/// What was found in a method.
#[derive(Clone, Default)]
pub(super) struct Outgoing {
    /// Types of events that it sends, publishes or asks with.
    pub sends: Vec<Type>,
    /// Types that it waits for: events, and enums of events.
    pub waits: Vec<Type>,
    /// Methods of the same block that it calls.
    pub calls: Vec<Ident>,
    /// Calls of whose type nothing can be seen, each with its method's name.
    unseen: Vec<(Span, String)>,
}

struct Looking<'a> {
    found: Outgoing,
    variables: Variables<'a>,
}

/// Looks at a method's words.
pub(super) fn of(method: &ImplItemFn, returned: &Returned) -> Outgoing {
    let mut looking = Looking { found: Outgoing::default(), variables: Variables::of(&method.sig, returned) };
    looking.visit_block(&method.block);
    looking.found
}

impl Looking<'_> {
    fn within(&mut self, look: impl FnOnce(&mut Self)) {
        self.variables.begin();
        look(self);
        self.variables.end();
    }

    fn method(&mut self, call: &ExprMethodCall) {
        let name = call.method.to_string();
        let on_context = self.variables.is_context(&call.receiver);
        match name.as_str() {
            "send" | "publish" if on_context => self.sends(call, 0),
            "send_to" if on_context => self.sends(call, 1),
            "wait" | "wait_any" if on_context => self.waits(call),
            "request" if matches!(self.variables.known(&call.receiver), Known::Wait) => self.sends(call, 0),
            _ if matches!(&*call.receiver, Expr::Path(path) if path.path.is_ident("self")) => self.found.calls.push(call.method.clone()),
            _ => (),
        }
    }

    fn sends(&mut self, call: &ExprMethodCall, place: usize) {
        let known = match (turbofish(call), call.args.get(place)) {
            (Some(ty), _) => self.variables.typed(ty),
            (None, Some(argument)) => self.variables.known(argument),
            (None, None) => return,
        };
        match known {
            Known::Type(ty) => self.found.sends.push(*ty),
            Known::Open => (),
            Known::Context | Known::Wait | Known::Nothing => self.unseen(call),
        }
    }

    fn waits(&mut self, call: &ExprMethodCall) {
        match turbofish(call).map(|ty| self.variables.typed(ty)) {
            Some(Known::Type(ty)) => self.found.waits.push(*ty),
            Some(Known::Open) => (),
            _ => self.unseen(call),
        }
    }

    fn unseen(&mut self, call: &ExprMethodCall) {
        self.found.unseen.push((call.method.span(), call.method.to_string()));
    }
}

impl<'ast> Visit<'ast> for Looking<'_> {
    fn visit_expr_method_call(&mut self, call: &'ast ExprMethodCall) {
        self.method(call);
        visit::visit_expr_method_call(self, call);
    }

    fn visit_expr_call(&mut self, call: &'ast ExprCall) {
        if let Expr::Path(function) = &*call.func
            && function.path.segments.first().is_some_and(|it| it.ident == "Self")
        {
            self.found.calls.extend(function.path.segments.last().map(|it| it.ident.clone()));
        }
        visit::visit_expr_call(self, call);
    }

    fn visit_local(&mut self, local: &'ast Local) {
        if let Some(init) = &local.init {
            visit::visit_local_init(self, init);
        }
        let (pattern, written) = match &local.pat {
            Pat::Type(typed) => (&*typed.pat, Some(self.variables.typed(&typed.ty))),
            pattern => (pattern, None),
        };
        let known = written.or_else(|| local.init.as_ref().map(|init| self.variables.known(&init.expr)));
        match pattern {
            Pat::Ident(name) => self.variables.bind(&name.ident, known.unwrap_or(Known::Nothing)),
            pattern => self.visit_pat(pattern),
        }
    }

    /// A parameter of a closure or of a function in the method.
    fn visit_pat_type(&mut self, typed: &'ast PatType) {
        match &*typed.pat {
            Pat::Ident(name) => self.variables.bind(&name.ident, self.variables.typed(&typed.ty)),
            pattern => self.visit_pat(pattern),
        }
    }

    fn visit_item_fn(&mut self, function: &'ast ItemFn) {
        self.within(|it| visit::visit_item_fn(it, function));
    }

    /// A name in any other pattern hides one that was known.
    fn visit_pat_ident(&mut self, name: &'ast PatIdent) {
        self.variables.bind(&name.ident, Known::Nothing);
        visit::visit_pat_ident(self, name);
    }

    fn visit_block(&mut self, block: &'ast Block) {
        self.within(|it| visit::visit_block(it, block));
    }

    fn visit_arm(&mut self, arm: &'ast Arm) {
        self.within(|it| visit::visit_arm(it, arm));
    }

    fn visit_expr_closure(&mut self, closure: &'ast ExprClosure) {
        self.within(|it| visit::visit_expr_closure(it, closure));
    }

    fn visit_expr_for_loop(&mut self, expression: &'ast ExprForLoop) {
        self.within(|it| visit::visit_expr_for_loop(it, expression));
    }

    fn visit_expr_if(&mut self, expression: &'ast ExprIf) {
        self.within(|it| visit::visit_expr_if(it, expression));
    }

    fn visit_expr_while(&mut self, expression: &'ast ExprWhile) {
        self.within(|it| visit::visit_expr_while(it, expression));
    }

    /// `assert!(…)`, `format!(…)`: most take expressions. What is none says nothing.
    fn visit_macro(&mut self, call: &'ast Macro) {
        if let Ok(expressions) = call.parse_body_with(Punctuated::<Expr, Token![,]>::parse_terminated) {
            expressions.iter().for_each(|expression| self.visit_expr(expression));
        }
    }
}

impl Outgoing {
    /// Adds what another method does.
    pub(super) fn add(&mut self, other: &Outgoing) {
        self.sends.extend_from_slice(&other.sends);
        self.waits.extend_from_slice(&other.waits);
        self.unseen.extend_from_slice(&other.unseen);
    }

    /// Says what to do about the first call of which nothing can be seen. Where the author has named
    /// what the step sends, only a wait is one.
    pub(super) fn check(&self, sends_are_named: bool) -> Result<()> {
        let waits = |method: &str| method.starts_with("wait");
        let Some((span, method)) = self.unseen.iter().find(|(_, method)| waits(method) || !sends_are_named) else { return Ok(()) };
        let message = if waits(method) {
            format!("the type that it waits for must stand here, so that it is declared: write `{method}::<Type>()`")
        } else {
            format!(
                "the type of this event must stand here, so that it is declared: write `{method}::<Type>(…)`, or `#[step(sends(Type))]` above the step"
            )
        };
        Err(Error::new(*span, message))
    }
}
