// The preload has no exports; loading it is all there is.

export {};
