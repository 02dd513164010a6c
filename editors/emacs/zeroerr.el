;;; zeroerr.el --- Verified code from specs, over Eglot  -*- lexical-binding: t; -*-

;; SPDX-License-Identifier: MIT OR Apache-2.0
;; Package-Requires: ((emacs "28.1") (eglot "1.9"))

;;; Commentary:

;; Registers the server with Eglot and adds commands for what Eglot has no key for.  Everything that
;; belongs to a place in the text is a code action: M-x eglot-code-actions.

;;; Code:

(require 'eglot)

(defgroup zeroerr nil
  "Code that was voted on and verified before it is offered."
  :group 'tools)

(defcustom zeroerr-command '("zeroerr" "lsp")
  "The program with its arguments."
  :type '(repeat string))

(defcustom zeroerr-modes '(python-mode python-ts-mode typescript-mode typescript-ts-mode
                           tsx-ts-mode js-mode js-ts-mode)
  "Major modes in which Eglot starts zeroerr.
Eglot runs one server for a buffer: leave out modes where you need another."
  :type '(repeat symbol))

(add-to-list 'eglot-server-programs
             (cons zeroerr-modes (lambda (&rest _) zeroerr-command)))

(defun zeroerr--execute (command &rest arguments)
  "Have the server of this buffer execute COMMAND with ARGUMENTS."
  (jsonrpc-request (or (eglot-current-server) (user-error "zeroerr does not run here: M-x eglot"))
                   :workspace/executeCommand
                   (list :command command :arguments (vconcat arguments))))

(defun zeroerr--here ()
  "The function at point, as commands take it."
  (append (eglot--TextDocumentIdentifier) (list :position (eglot--pos-to-lsp-position))))

;;;###autoload
(defun zeroerr-implement ()
  "Write the function at point from its spec."
  (interactive)
  (zeroerr--execute "zeroerr.implement" (zeroerr--here)))

;;;###autoload
(defun zeroerr-implement-all ()
  "Write every stub of this file that has a spec."
  (interactive)
  (zeroerr--execute "zeroerr.implementAll" (eglot--TextDocumentIdentifier)))

;;;###autoload
(defun zeroerr-verify ()
  "Check the function at point as it stands."
  (interactive)
  (zeroerr--execute "zeroerr.verify" (zeroerr--here)))

;;;###autoload
(defun zeroerr-cancel ()
  "Cancel what runs; Eglot has no button for it."
  (interactive)
  (zeroerr--execute "zeroerr.cancel"))

;;;###autoload
(defun zeroerr-status ()
  "Say what runs and what the machine has."
  (interactive)
  (zeroerr--execute "zeroerr.status"))

;;;###autoload
(defun zeroerr-report ()
  "Show the newest report: plan, votes, layers."
  (interactive)
  (zeroerr--execute "zeroerr.showReport"))

(provide 'zeroerr)
;;; zeroerr.el ends here
