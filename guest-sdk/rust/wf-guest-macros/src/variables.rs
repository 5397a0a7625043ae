//! What the words of a method say about the types of its variables and expressions.

use std::collections::HashMap;

use syn::{
    Block, Expr, ExprCall, ExprMethodCall, FnArg, GenericArgument, GenericParam, Ident, Pat, Path, Signature, Stmt, Type, TypePath, UnOp,
};

use super::returned::Returned;

/// What is known of a variable, or of an expression.
#[derive(Clone)]
pub(super) enum Known {
    /// It is of this type.
    Type(Box<Type>),
    /// It is the context.
    Context,
    /// It is a wait in the making.
    Wait,
    /// Its type is the caller's choice.
    Open,
    /// Nothing.
    Nothing,
}

/// The variables in sight.
pub(super) struct Variables<'a> {
    /// By name; the innermost block last.
    scopes: Vec<HashMap<String, Known>>,
    /// Type parameters.
    open: Vec<Ident>,
    returned: &'a Returned,
}

impl Variables<'_> {
    /// A method's parameters.
    pub(super) fn of<'a>(signature: &Signature, returned: &'a Returned) -> Variables<'a> {
        let open = signature.generics.params.iter().filter_map(type_parameter).collect();
        let mut variables = Variables { scopes: vec![HashMap::new()], open, returned };
        for input in &signature.inputs {
            if let FnArg::Typed(argument) = input
                && let Pat::Ident(name) = &*argument.pat
            {
                variables.bind(&name.ident, variables.typed(&argument.ty));
            }
        }
        variables
    }

    /// A block begins.
    pub(super) fn begin(&mut self) {
        self.scopes.push(HashMap::new());
    }

    /// The innermost block ends.
    pub(super) fn end(&mut self) {
        self.scopes.pop();
    }

    /// A variable begins, and hides another of its name; but one of which nothing is known is still
    /// the context where it is called so.
    pub(super) fn bind(&mut self, name: &Ident, known: Known) {
        if matches!(known, Known::Nothing) && matches!(self.variable(name), Some(Known::Context)) {
            return;
        }
        if let Some(scope) = self.scopes.last_mut() {
            scope.insert(name.to_string(), known);
        }
    }

    /// Whether an expression is the context.
    pub(super) fn is_context(&self, expression: &Expr) -> bool {
        matches!(self.known(expression), Known::Context)
    }

    /// A type that is written down.
    pub(super) fn typed(&self, ty: &Type) -> Known {
        match ty {
            Type::ImplTrait(_) => Known::Open,
            Type::Path(path) if path.path.get_ident().is_some_and(|name| self.open.contains(name)) => Known::Open,
            Type::Path(path) if ends_with(&path.path, "Context") => Known::Context,
            Type::Path(path) if ends_with(&path.path, "Wait") => Known::Wait,
            Type::Path(_) => Known::Type(Box::new(ty.clone())),
            Type::Reference(reference) => self.typed(&reference.elem),
            _ => Known::Nothing,
        }
    }

    /// The type of an expression, where its words say it.
    pub(super) fn known(&self, expression: &Expr) -> Known {
        match expression {
            Expr::Reference(it) => self.known(&it.expr),
            Expr::Paren(it) => self.known(&it.expr),
            Expr::Group(it) => self.known(&it.expr),
            Expr::Try(it) => self.known(&it.expr),
            Expr::Unary(it) if matches!(it.op, UnOp::Deref(_)) => self.known(&it.expr),
            Expr::Block(it) => self.last(&it.block),
            Expr::If(it) => match (self.last(&it.then_branch), &it.else_branch) {
                (Known::Nothing, Some((_, other))) => self.known(other),
                (known, _) => known,
            },
            Expr::Match(it) => {
                let mut arms = it.arms.iter().map(|arm| self.branch(&arm.body));
                arms.find(|known| !matches!(known, Known::Nothing)).unwrap_or(Known::Nothing)
            }
            Expr::Struct(it) => of_path(&it.path),
            Expr::Path(it) => self.named(&it.path),
            Expr::Call(call) => self.made(call),
            Expr::MethodCall(call) => self.called(call),
            _ => Known::Nothing,
        }
    }

    /// A variable, or a struct without fields.
    fn named(&self, path: &Path) -> Known {
        let known = path.get_ident().and_then(|name| self.variable(name));
        known.cloned().unwrap_or_else(|| if is_type(path) { of_path(path) } else { Known::Nothing })
    }

    fn variable(&self, name: &Ident) -> Option<&Known> {
        let name = name.to_string();
        self.scopes.iter().rev().find_map(|scope| scope.get(&name))
    }

    /// The value of a block that is nothing but one: what names mean in a longer one, its own words say.
    fn last(&self, block: &Block) -> Known {
        if let [Stmt::Expr(value, None)] = &block.stmts[..] { self.branch(value) } else { Known::Nothing }
    }

    /// A value of several. A bare variable may be one that its branch's pattern has made.
    fn branch(&self, value: &Expr) -> Known {
        match value {
            Expr::Path(it) if !is_type(&it.path) => Known::Nothing,
            value => self.known(value),
        }
    }

    /// `Name::new(…)` and `Name::default()` make a `Name`; `Self::name(…)` is a method of the block.
    fn made(&self, call: &ExprCall) -> Known {
        let Expr::Path(function) = &*call.func else { return Known::Nothing };
        let mut path = function.path.clone();
        let Some(last) = path.segments.pop().map(|last| last.into_value().ident) else { return Known::Nothing };
        path.segments.pop_punct();
        if path.is_ident("Self") {
            self.returned(&last)
        } else if is_type(&path) && (last == "new" || last == "default") {
            of_path(&path)
        } else {
            Known::Nothing
        }
    }

    fn returned(&self, method: &Ident) -> Known {
        match self.returned.by(method).map(|ty| self.typed(ty)) {
            None | Some(Known::Open) => Known::Nothing,
            Some(known) => known,
        }
    }

    fn called(&self, call: &ExprMethodCall) -> Known {
        if matches!(&*call.receiver, Expr::Path(path) if path.path.is_ident("self")) {
            return self.returned(&call.method);
        }
        if self.is_context(&call.receiver) && (call.method == "wait" || call.method == "wait_any") {
            return Known::Wait;
        }
        match self.known(&call.receiver) {
            Known::Wait if call.method != "get" => Known::Wait,
            known @ Known::Type(_) if call.method == "clone" => known,
            _ => Known::Nothing,
        }
    }
}

/// The first type that a method is called with: `method::<Type>(…)`.
pub(super) fn turbofish(call: &ExprMethodCall) -> Option<&Type> {
    call.turbofish.as_ref()?.args.iter().find_map(|argument| if let GenericArgument::Type(ty) = argument { Some(ty) } else { None })
}

fn type_parameter(parameter: &GenericParam) -> Option<Ident> {
    if let GenericParam::Type(parameter) = parameter { Some(parameter.ident.clone()) } else { None }
}

fn ends_with(path: &Path, name: &str) -> bool {
    path.segments.last().is_some_and(|it| it.ident == name)
}

fn of_path(path: &Path) -> Known {
    Known::Type(Box::new(Type::Path(TypePath { qself: None, path: path.clone() })))
}

/// `Name`, unlike `name` and `NAME`.
fn is_type(path: &Path) -> bool {
    let Some(name) = path.segments.last().map(|it| it.ident.to_string()) else { return false };
    name.starts_with(char::is_uppercase) && (name.len() == 1 || name.contains(char::is_lowercase))
}
