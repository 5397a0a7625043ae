//! What asks of a part or of the whole of the library is one program: each would compile anew what they all call.

mod compiling;
mod contract;
mod driver;
mod edge;
mod embed;
mod shapes;
mod store;
mod unfit;
