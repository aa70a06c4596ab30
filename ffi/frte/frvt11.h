/* The interface of NIST FRTE 1:1, version 6.0: signatures as published, for builds without NIST's own header.
 * Where that is at hand it goes before this one: make FRTE_HEADERS=frvt/11/src/include. */

#ifndef FRVT11_H_
#define FRVT11_H_

#include <frvt_structs.h>

namespace FRVT_11 {

class Interface {
public:
    virtual ~Interface() {}

    /* Called once, before the process forks. */
    virtual FRVT::ReturnStatus initialize(const std::string &configDir) = 0;

    /* One template of one person from one picture or more; in every case a template comes out. */
    virtual FRVT::ReturnStatus createFaceTemplate(const std::vector<FRVT::Image> &faces, FRVT::TemplateRole role,
                                                  std::vector<uint8_t> &templ, std::vector<FRVT::EyePair> &eyeCoordinates) = 0;

    virtual FRVT::ReturnStatus createIrisTemplate(const std::vector<FRVT::Image> &irises, FRVT::TemplateRole role,
                                                  std::vector<uint8_t> &templ,
                                                  std::vector<FRVT::IrisAnnulus> &irisLocations) = 0;

    /* A template for each person in the picture; when there is none, one template all the same. */
    virtual FRVT::ReturnStatus createFaceTemplate(const FRVT::Image &image, FRVT::TemplateRole role,
                                                  std::vector<std::vector<uint8_t>> &templs,
                                                  std::vector<FRVT::EyePair> &eyeCoordinates) = 0;

    /* The score is 0 at least, and larger for the more alike; -1 with VerifTemplateError when either template holds no face. */
    virtual FRVT::ReturnStatus matchTemplates(const std::vector<uint8_t> &verifTemplate,
                                              const std::vector<uint8_t> &enrollTemplate, double &score) = 0;

    static std::shared_ptr<Interface> getImplementation();
};

/* The library defines them, the driver looks at them. */
#ifdef NIST_EXTERN_API_VERSION
extern uint16_t API_MAJOR_VERSION;
extern uint16_t API_MINOR_VERSION;
#else
uint16_t API_MAJOR_VERSION{6};
uint16_t API_MINOR_VERSION{0};
#endif

} // namespace FRVT_11

#endif
