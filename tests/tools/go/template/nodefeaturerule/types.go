// Package nodefeaturerule gives the data of a template the types that it has in
// NFD, because Go names them in errors and in what %T prints
// (pkg/apis/nfd/nodefeaturerule at v0.19.0).
package nodefeaturerule

// MatchedElement is one element: its attributes by name.
type MatchedElement map[string]string

type domainMatchedFeatures map[string][]MatchedElement

type matchedFeatures map[string]domainMatchedFeatures

// New types plain data.
func New(data map[string]map[string][]map[string]string) any {
	if data == nil {
		return matchedFeatures(nil)
	}
	typed := matchedFeatures{}
	for domain, features := range data {
		typed[domain] = domainMatchedFeatures{}
		for feature, elements := range features {
			list := []MatchedElement{}
			for _, element := range elements {
				list = append(list, MatchedElement(element))
			}
			typed[domain][feature] = list
		}
	}
	return typed
}
