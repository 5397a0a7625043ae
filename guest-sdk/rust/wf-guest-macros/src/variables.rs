//! What the words of a method say about the types of its variables and expressions.

use std::collections::HashMap;

use syn::{Expr, ExprCall, ExprMethodCall, FnArg, GenericArgument, GenericParam, Ident, Pat, Path, Signature, Type, TypePath};

/// What is known of a variable, or of an expression.
#[derive(Clone)]
pub(super) enum Known {
    /// It is of this type.
    Type(Box<Type>),
    /// It is a wait in the making.
    Wait,
    /// Its type is the caller's choice.
    Open,
    /// Nothing.
    Nothing,
}

/// The variables in sight.
pub(super) struct Variables {
    /// By name; the innermost block last.
    scopes: Vec<HashMap<String, Known>>,
    /// Parameters that are the context.
    contexts: Vec<Ident>,
    /// Type parameters.
    open: Vec<Ident>,
}

impl Variables {
    /// A method's parameters.
    pub(super) fn of(signature: &Signature) -> Variables {
        let open = signature.generics.params.iter().filter_map(type_parameter).collect();
        let mut variables = Variables { scopes: vec![HashMap::new()], contexts: Vec::new(), open };
        for input in &signature.inputs {
            let FnArg::Typed(argument) = input else { continue };
            let Pat::Ident(name) = &*argument.pat else { continue };
            if is_context(&argument.ty) {
                variables.contexts.push(name.ident.clone());
            } else {
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

    /// A variable begins, and hides another of its name.
    pub(super) fn bind(&mut self, name: &Ident, known: Known) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.insert(name.to_string(), known);
        }
    }

    /// Whether an expression is the context.
    pub(super) fn is_context(&self, expression: &Expr) -> bool {
        matches!(expression, Expr::Path(path) if path.path.get_ident().is_some_and(|name| self.contexts.contains(name)))
    }

    /// A type that is written down.
    pub(super) fn typed(&self, ty: &Type) -> Known {
        match ty {
            Type::ImplTrait(_) => Known::Open,
            Type::Path(path) if path.path.get_ident().is_some_and(|name| self.open.contains(name)) => Known::Open,
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
            Expr::Struct(it) => of_path(&it.path),
            Expr::Path(it) => self.named(&it.path),
            Expr::Call(call) => made(call),
            Expr::MethodCall(call) => self.called(call),
            _ => Known::Nothing,
        }
    }

    /// A variable, or a struct without fields.
    fn named(&self, path: &Path) -> Known {
        let variable = path.get_ident().map(ToString::to_string);
        let known = variable.and_then(|name| self.scopes.iter().rev().find_map(|scope| scope.get(&name)));
        known.cloned().unwrap_or_else(|| if is_type(path) { of_path(path) } else { Known::Nothing })
    }

    fn called(&self, call: &ExprMethodCall) -> Known {
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

fn is_context(ty: &Type) -> bool {
    match ty {
        Type::Reference(reference) => is_context(&reference.elem),
        Type::Path(path) => path.path.segments.last().is_some_and(|it| it.ident == "Context"),
        _ => false,
    }
}

fn of_path(path: &Path) -> Known {
    Known::Type(Box::new(Type::Path(TypePath { qself: None, path: path.clone() })))
}

/// `Name`, unlike `name` and `NAME`.
fn is_type(path: &Path) -> bool {
    let Some(name) = path.segments.last().map(|it| it.ident.to_string()) else { return false };
    name.starts_with(char::is_uppercase) && (name.len() == 1 || name.contains(char::is_lowercase))
}

/// `Name::new(…)` and `Name::default()` make a `Name`.
fn made(call: &ExprCall) -> Known {
    let Expr::Path(function) = &*call.func else { return Known::Nothing };
    let mut path = function.path.clone();
    let makes = path.segments.pop().is_some_and(|last| ["new", "default"].iter().any(|name| last.value().ident == name));
    path.segments.pop_punct();
    if makes && is_type(&path) { of_path(&path) } else { Known::Nothing }
}
