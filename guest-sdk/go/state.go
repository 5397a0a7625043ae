package wf

// Get is the value at a path of the run's state, such as "order.lines.0"; where there is none, the zero value.
func Get[T any](context *Context, path string) (T, error) {
	text, is, err := context.calls.Get(path)
	return value[T](text, is, err)
}

func value[T any](text string, is bool, err error) (T, error) {
	var value T
	if err != nil {
		return value, failed(err)
	}
	if is {
		err = decode(text, &value)
	}
	return value, err
}

// Set sets the value at a path, at the next commit point; the last commit wins.
func (context *Context) Set(path string, value any) error {
	text, err := encoded(value)
	if err != nil {
		return err
	}
	return failed(context.calls.Set(path, text))
}

// Push appends a value to the list at a path.
func (context *Context) Push(path string, value any) error {
	text, err := encoded(value)
	if err != nil {
		return err
	}
	return failed(context.calls.Push(path, text))
}

// Delete deletes the value at a path.
func (context *Context) Delete(path string) error { return failed(context.calls.Delete(path)) }

// Edit changes a value as one, and gives the new one. `change` is called again when another step came between.
func Edit[T any](context *Context, path string, change func(before T) (T, error)) (T, error) {
	for {
		version, text, is, err := context.calls.EditBegin(path)
		after, done, err := edited(context, path, version, text, is, err, change)
		if err != nil || done {
			return after, err
		}
	}
}

// EditExclusive changes a value in turn with others, and gives the new one. `change` is called once.
func EditExclusive[T any](context *Context, path string, change func(before T) (T, error)) (T, error) {
	version, text, is, err := context.calls.EditExclusive(path)
	after, done, err := edited(context, path, version, text, is, err, change)
	if err == nil && !done {
		err = Fail("RuntimeError", "the exclusive edit of `%s` was lost", path)
	}
	return after, err
}

func edited[T any](context *Context, path string, version uint64, text string, is bool, err error, change func(T) (T, error)) (T, bool, error) {
	before, err := value[T](text, is, err)
	if err != nil {
		return before, false, err
	}
	after, err := change(before)
	if err != nil {
		return after, false, err
	}
	written, err := encoded(after)
	if err != nil {
		return after, false, err
	}
	done, err := context.calls.EditCommit(path, version, written)
	return after, done, failed(err)
}

// Remember is the result of expensive work, done once over all entries and attempts.
func Remember[T any](context *Context, name string, work func() (T, error)) (T, error) {
	text, is, err := context.calls.LookUp(name)
	if err != nil || is {
		return value[T](text, is, err)
	}
	result, err := work()
	if err != nil {
		return result, err
	}
	if text, err = encoded(result); err != nil {
		return result, err
	}
	return result, failed(context.calls.Keep(name, text))
}
